import type { TensorFate, TensorRow } from './types.ts';

export type TensorKind = 'embed' | 'attn' | 'mlp' | 'norm' | 'head' | 'other';

/** Where in a model a tensor stands, as its name tells. `layer` null: outside of the stack of layers. */
export interface TensorPlace {
  readonly layer: number | null;
  readonly kind: TensorKind;
}

/** One cell of the picture: the tensors of one kind in one layer. */
export interface StripCell {
  readonly layer: number | null;
  readonly kind: TensorKind;
  readonly tensors: number;
  /** How many are different, and how many not known yet. */
  readonly different: number;
  readonly unknown: number;
  /** The largest relative norm among them; null when none is known. */
  readonly relative: number | null;
}

const LAYER = /(?:^|[._])(?:layers?|blk|h|blocks?|resblocks)[._](\d{1,5})(?:[._]|$)/;
const KINDS: readonly (readonly [TensorKind, RegExp])[] = [
  ['norm', /norm|(?:^|[._])ln_?\w*(?:[._]|$)/],
  ['attn', /attn|attention|(?:^|[._])[qkvo]_?proj|qkv|query|value/],
  [
    'mlp',
    /mlp|ffn|feed_?forward|(?:gate|up|down)_proj|expert|(?:^|[._])fc\d?(?:[._]|$)|intermediate|c_fc|dense/,
  ],
  ['embed', /embed|embd|(?:^|[._])w[tp]e(?:[._]|$)/],
  ['head', /lm_head|^output\.|classifier|score|(?:^|[._])head(?:[._]|$)/],
];

/** Reads the place of a tensor from its name, by the habits of transformers, llama.cpp and diffusers. */
export function placeOfTensor(name: string): TensorPlace {
  const lower = name.toLowerCase();
  const layer = LAYER.exec(lower)?.[1];
  const kind = KINDS.find(([, pattern]) => pattern.test(lower))?.[0] ?? 'other';
  return { layer: layer === undefined ? null : Number(layer), kind };
}

const DIFFERENT = new Set<TensorFate>(['added', 'removed', 'retyped', 'changed']);

/** The picture of a comparison: a cell for each layer and kind that there is, by layer, what is outside first. */
export function layerStrip(rows: readonly TensorRow[]): StripCell[] {
  const cells = new Map<string, StripCell>();
  for (const { name, fate, delta } of rows) {
    const place = placeOfTensor(name);
    const key = `${place.layer} ${place.kind}`;
    const cell = cells.get(key) ?? { ...place, tensors: 0, different: 0, unknown: 0, relative: null };
    const relative = delta?.relative ?? null;
    cells.set(key, {
      ...cell,
      tensors: cell.tensors + 1,
      different: cell.different + (DIFFERENT.has(fate) ? 1 : 0),
      unknown: cell.unknown + (fate === 'unknown' ? 1 : 0),
      relative: relative === null ? cell.relative : Math.max(relative, cell.relative ?? 0),
    });
  }
  return [...cells.values()].sort((a, b) => (a.layer ?? -1) - (b.layer ?? -1));
}
