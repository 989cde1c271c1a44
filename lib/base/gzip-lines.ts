import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** Lines of a gzipped text, as it is read. Throws when the source breaks off or is not whole. */
export async function* gzipLines(source: Readable): AsyncGenerator<string> {
  const gunzip = createGunzip();
  const ended = pipeline(source, gunzip);
  ended.catch(() => {}); // the loop below throws it
  let rest = '';
  for await (const piece of gunzip.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  await ended;
  if (rest !== '') yield rest;
}
