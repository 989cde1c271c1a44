'use client';

import type { StripCell, TensorKind } from '#lib/catalog/diff/layer-strip.ts';
import { cn } from '../../cn.ts';
import { useTranslator } from '../../reader.tsx';
import type { Translator } from '../../translator.ts';

const KINDS: readonly TensorKind[] = ['embed', 'attn', 'mlp', 'norm', 'head', 'other'];

/** How brightly a change shines: a ten-thousandth of the norm barely, the whole norm fully. */
function shine(relative: number | null): number {
  if (relative === null) return 0.65;
  if (relative === 0) return 0.2;
  return 0.25 + 0.75 * Math.min(1, Math.max(0, (Math.log10(relative) + 4) / 4));
}

function wordsOf(cell: StripCell, t: Translator): string {
  const where = cell.layer === null ? t('diff.outside') : t('diff.layer', { layer: String(cell.layer) });
  const facts = t('diff.cell', {
    where,
    kind: t(`diff.tensorKinds.${cell.kind}`),
    tensors: cell.tensors,
    different: cell.different,
  });
  return cell.relative === null ? facts : `${facts} · |Δ| / |a| ${cell.relative.toPrecision(2)}`;
}

/**
 * The model as a picture: a column for each layer, a row for each kind of tensor; what changed lights up, the brighter
 * the further it moved. The table below says the same in words.
 */
export function LayerStrip({ cells, label }: { cells: readonly StripCell[]; label: string }) {
  const t = useTranslator();
  const layers = [...new Set(cells.map((cell) => cell.layer))].sort((a, b) => (a ?? -1) - (b ?? -1));
  const kinds = KINDS.filter((kind) => cells.some((cell) => cell.kind === kind));
  const byPlace = new Map(cells.map((cell) => [`${cell.layer} ${cell.kind}`, cell]));
  const inner = layers.filter((layer) => layer !== null);
  if (inner.length === 0 && cells.length < 2) return null;
  return (
    <figure aria-label={label} className="overflow-x-auto px-4 py-2.5">
      <div
        aria-hidden="true"
        className="grid w-full items-center gap-[3px]"
        style={{ gridTemplateColumns: `max-content repeat(${layers.length}, minmax(8px, 1fr))` }}
      >
        {kinds.map((kind) => (
          <Row key={kind} name={t(`diff.tensorKinds.${kind}`)}>
            {layers.map((layer) => (
              <Cell key={layer} cell={byPlace.get(`${layer} ${kind}`)} t={t} />
            ))}
          </Row>
        ))}
        <Row name="">
          {layers.map((layer, i) => (
            <span
              key={layer}
              className="tabular h-4 overflow-visible text-center text-[10px] leading-4 whitespace-nowrap text-muted"
            >
              {isLabelled(layer, i, layers.length) ? (layer ?? '') : ''}
            </span>
          ))}
        </Row>
      </div>
      <Legend />
    </figure>
  );
}

/** The first, every few, and never so many that the numbers touch. */
function isLabelled(layer: number | null, index: number, count: number): boolean {
  if (layer === null) return false;
  const step = count > 40 ? 10 : count > 16 ? 4 : 1;
  return layer % step === 0 || (index === count - 1 && layer % step > step / 2);
}

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <>
      <span className="pr-2 text-right text-xs text-muted">{name}</span>
      {children}
    </>
  );
}

const unknown = 'bg-[repeating-linear-gradient(135deg,var(--line-strong)_0_2px,var(--hover)_2px_5px)]';

function Cell({ cell, t }: { cell: StripCell | undefined; t: Translator }) {
  if (cell === undefined) return <span className="h-5 rounded-xs" />;
  const isLit = cell.different > 0;
  return (
    <span
      title={wordsOf(cell, t)}
      className={cn(
        'relative h-5 overflow-hidden rounded-xs bg-hover',
        cell.unknown > 0 && !isLit && unknown,
      )}
    >
      {isLit && <span className="absolute inset-0 bg-accent" style={{ opacity: shine(cell.relative) }} />}
    </span>
  );
}

function Legend() {
  const t = useTranslator();
  return (
    <figcaption className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-xs text-muted">
      <span className="flex items-center gap-1.5">
        <span className="size-3 rounded-xs bg-hover" /> {t('diff.legendSame')}
      </span>
      <span className="flex items-center gap-1.5">
        <span className="relative h-3 w-14 overflow-hidden rounded-xs bg-hover">
          <span className="absolute inset-0 bg-linear-to-r from-accent/25 to-accent" />
        </span>
        {t('diff.legendChanged')}
      </span>
    </figcaption>
  );
}
