import { benchChromium } from './bytes-chromium.ts';
import { benchDownloads } from './bytes-downloads.ts';
import { benchMemory } from './bytes-memory.ts';
import { openBytesRoom } from './bytes-room.ts';
import { benchUploads } from './bytes-uploads.ts';
import { benchZip } from './bytes-zip.ts';
import type { Figure } from './main.ts';

/** Which parts to measure: LARDER_BENCH_PARTS=downloads,zip. */
const PARTS = (process.env.LARDER_BENCH_PARTS ?? 'uploads,chromium,downloads,zip,memory').split(',');

/** Everything that moves many bytes. LARDER_BENCH_BYTES=4294967296 for the figures of the promise (default 256 MiB). */
export async function benchBytes(): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (PARTS.includes('uploads')) figures.push(...(await benchUploads()));
  if (PARTS.includes('chromium')) figures.push(...(await benchChromium()));
  if (!PARTS.some((part) => ['downloads', 'zip', 'memory'].includes(part))) return figures;
  const room = await openBytesRoom();
  try {
    await room.hf(['upload', 'admin/xet', room.folder]);
    await room.hf(['upload', 'admin/whole', room.folder], { HF_HUB_DISABLE_XET: '1' });
    if (PARTS.includes('downloads')) figures.push(...(await benchDownloads(room)));
    if (PARTS.includes('zip')) figures.push(...(await benchZip(room)));
    if (PARTS.includes('memory')) figures.push(...(await benchMemory(room)));
    return figures;
  } finally {
    await room.close();
  }
}
