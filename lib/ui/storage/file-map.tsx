import { visibleText } from '#lib/base/visible-text.ts';
import type { StorageReport } from '#lib/repos/storage/types.ts';
import { formatSize } from '../format.ts';
import { translator } from '../translator.ts';
import { type Tile, treemap } from './treemap.ts';

const WIDTH = 960;
const HEIGHT = 240;
const MAX_TILES = 60;
/** Tiles under this size carry no words. */
const LABELLED = { width: 96, height: 34 };
const LETTER = 6.7;

interface Area {
  readonly key: string;
  readonly label: string;
  readonly weight: number;
  readonly isRest: boolean;
}

/** The stored bytes of a repo as a map: what each file adds, and what several use together. The table says the same. */
export async function FileMap({
  report,
}: {
  report: Pick<StorageReport, 'files' | 'moreFiles' | 'storedBytes'>;
}) {
  const t = await translator();
  const shown = report.files.slice(0, MAX_TILES);
  const hidden = report.files.slice(MAX_TILES);
  const restBytes = hidden.reduce((sum, file) => sum + file.addsBytes, report.moreFiles.addsBytes);
  const added = report.files.reduce((sum, file) => sum + file.addsBytes, report.moreFiles.addsBytes);
  const areas: Area[] = [
    ...shown.map((file) => ({
      key: file.sha256,
      label: file.path === null ? t('storage.noPath') : visibleText(file.path),
      weight: file.addsBytes,
      isRest: false,
    })),
    { key: 'together', label: t('storage.together'), weight: report.storedBytes - added, isRest: true },
    {
      key: 'rest',
      label: t('storage.moreFiles', { count: hidden.length + report.moreFiles.count }),
      weight: restBytes,
      isRest: true,
    },
  ];
  const tiles = treemap(areas, WIDTH, HEIGHT);
  if (tiles.length === 0) return null;
  return (
    <svg
      role="img"
      aria-label={t('storage.map')}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      className="h-auto w-full rounded-md"
    >
      {tiles.map((tile) => (
        <MapTile key={tile.item.key} tile={tile} />
      ))}
    </svg>
  );
}

function MapTile({ tile: { item, x, y, width, height } }: { tile: Tile<Area> }) {
  const isLabelled = width >= LABELLED.width && height >= LABELLED.height;
  const letters = Math.floor((width - 20) / LETTER);
  const name = item.label.split('/').at(-1) ?? item.label;
  return (
    <g>
      <title>{`${item.label}: ${formatSize(item.weight)}`}</title>
      <rect
        x={x + 1}
        y={y + 1}
        width={Math.max(0, width - 2)}
        height={Math.max(0, height - 2)}
        rx={4}
        className={item.isRest ? 'fill-info-soft' : 'fill-accent-soft'}
      />
      {isLabelled && (
        <text x={x + 10} y={y + 19} className="fill-fg font-mono text-xs">
          {name.length > letters ? `${name.slice(0, Math.max(1, letters - 1))}…` : name}
        </text>
      )}
      {isLabelled && height >= 50 && (
        <text x={x + 10} y={y + 36} className="fill-muted text-xs">
          {formatSize(item.weight)}
        </text>
      )}
    </g>
  );
}
