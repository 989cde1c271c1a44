import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { FLUSH, onBand, pktLine } from './pkt-line.ts';

const FAILED = 'the hub could not read all of this repository: try again\n';

/**
 * A pack as the answer to the command fetch of protocol version 2 (gitprotocol-v2(5)): its one section, on a side band.
 * When the pack fails in the middle the client is told so, and the connection breaks.
 */
export async function* packfileSection(pack: Readable): AsyncGenerator<Buffer> {
  yield pktLine('packfile\n');
  try {
    for await (const chunk of pack as AsyncIterable<Buffer>) yield Buffer.concat(onBand(1, chunk));
  } catch (error) {
    yield Buffer.concat(onBand(3, Buffer.from(FAILED)));
    await setImmediate(); // so that it is sent before the connection breaks
    throw error;
  }
  yield FLUSH;
}
