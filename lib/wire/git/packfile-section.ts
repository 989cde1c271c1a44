import type { Readable } from 'node:stream';
import { FLUSH, onBand, pktLine } from './pkt-line.ts';

/** A pack as the answer to the command fetch of protocol version 2 (gitprotocol-v2(5)): its one section, on a side band. */
export async function* packfileSection(pack: Readable): AsyncGenerator<Buffer> {
  yield pktLine('packfile\n');
  for await (const chunk of pack as AsyncIterable<Buffer>) yield Buffer.concat(onBand(1, chunk));
  yield FLUSH;
}
