import { benchDownloads } from './bytes-downloads.ts';
import { openBytesRoom } from './bytes-room.ts';
import type { Figure } from './main.ts';

/** Everything that moves many bytes. LARDER_BENCH_BYTES=4294967296 for the figures of the promise (default 256 MiB). */
export async function benchBytes(): Promise<Figure[]> {
  const room = await openBytesRoom();
  try {
    await room.hf(['upload', 'admin/xet', room.folder]);
    await room.hf(['upload', 'admin/whole', room.folder], { HF_HUB_DISABLE_XET: '1' });
    return await benchDownloads(room);
  } finally {
    await room.close();
  }
}
