import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type BareRepo, bareCacheOf } from '../bare/bare-cache.ts';
import { GitFailure, type GitRun, startGit } from '../bare/run-git.ts';
import { ObjectReader } from './object-reader.ts';
import { ReceivedPack } from './received-pack.ts';

/** Objects of a push that nobody sees yet, over the repo as it is. */
export interface Quarantine {
  /** How git is run on both together. */
  readonly run: Omit<GitRun, 'args'>;
  /** Reads objects of both. */
  readonly reader: ObjectReader;
  /** What came with the push; null when it was empty. */
  readonly pack: ReceivedPack | null;
  remove(): Promise<void>;
}

/** A pack of this many objects is no push but an attack, or an import that should come in parts. */
const MAX_OBJECTS = 2_000_000;
const HEADER_BYTES = 12;

const refuse = (why: string) => hubError('invalid_object', why);

/** Reads the head of a pack: its number of objects, and the stream from its beginning. */
async function readHead(
  pack: AsyncIterable<Buffer>,
): Promise<{ count: number; stream: AsyncGenerator<Buffer> }> {
  const source = pack[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < HEADER_BYTES) {
    const { value, done } = await source.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  if (head.length < HEADER_BYTES || head.toString('latin1', 0, 4) !== 'PACK')
    throw refuse('no pack came with the push');
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw refuse(`pack version ${version} is not understood`);
  const count = head.readUInt32BE(8);
  if (count > MAX_OBJECTS)
    throw refuse(`the pack has ${count} objects, a push may have ${MAX_OBJECTS}: push in parts`);
  async function* stream() {
    yield head;
    for (;;) {
      const { value, done } = await source.next();
      if (done) return;
      yield value;
    }
  }
  return { count, stream: stream() };
}

/** Feeds git; true when it took everything. */
async function feed(child: ReturnType<typeof startGit>, stream: AsyncIterable<Buffer>, maxBytes: number) {
  let total = 0;
  let ended = false;
  const end = child.done.catch(() => {}).then(() => (ended = true));
  for await (const chunk of stream) {
    total += chunk.length;
    if (total > maxBytes)
      throw hubError(
        'too_large',
        `the pack is larger than the limit of ${maxBytes} bytes; keep large files in Git LFS, or push in parts`,
      );
    if (ended) return false;
    if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain').catch(() => end), end]);
  }
  child.stdin.end();
  return true;
}

/** What git said about a pack it refused, without its own vocabulary of files and processes. */
function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^(?:error|fatal): /, '').trim());
  const told = lines.filter((line) => line !== '' && !line.startsWith('fsck error in pack')).slice(0, 3);
  return told.join('; ').slice(0, 500) || 'the pack is damaged';
}

async function indexPack(
  run: Quarantine['run'],
  stream: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<string> {
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  const child = startGit({ ...run, signal, args: ['index-pack', '--stdin', '--fix-thin', '--strict'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (out.length < 1000) out += chunk.toString('latin1');
  });
  try {
    const tookAll = await feed(child, stream, maxBytes);
    await child.done;
    const name = /^(?:pack|keep)\t([0-9a-f]{40})\n$/.exec(out)?.[1];
    if (name === undefined || !tookAll) throw refuse('there is something behind the end of the pack');
    return name;
  } catch (error) {
    stop.abort(error);
    await child.done.catch(() => {});
    if (error instanceof GitFailure) throw refuse(reasonOf(error.stderr));
    throw error;
  }
}

/**
 * Takes a pack apart in a folder of its own, with git's strictest checks: every object well-formed, everything it
 * points to there or in the repo (git-index-pack(1), git-fsck(1)). Bounds: bytes, objects, memory and processor
 * time of git. Throws invalid_object or too_large with the reason; nothing is left then. A killed process's folder
 * goes with that process's cache.
 */
export async function openQuarantine(
  ctx: Ctx,
  bare: BareRepo,
  pack: AsyncIterable<Buffer>,
): Promise<Quarantine> {
  const folder = join(await bareCacheOf(ctx).folder(), `quarantine-${randomBytes(8).toString('hex')}`);
  const objects = join(folder, 'objects');
  const run = { gitDir: bare.gitDir, objects, alternates: bare.objects, signal: ctx.signal };
  let reader: ObjectReader | undefined;
  const remove = async () => {
    await Promise.all([reader?.close(), rm(folder, { recursive: true, force: true })]);
  };
  try {
    const { count, stream } = await readHead(pack);
    await mkdir(join(objects, 'pack'), { recursive: true });
    await mkdir(join(objects, 'info'));
    await failpoint('push.before-index-pack');
    reader = new ObjectReader(run); // it is ready when the pack is: git looks for new packs when it misses something
    if (count === 0) {
      for await (const _ of stream); // its checksum guards nothing
      return { run, reader, pack: null, remove };
    }
    const name = await indexPack(run, stream, ctx.config.LARDER_PUSH_BYTES);
    await failpoint('push.unpacked');
    const kept = await ReceivedPack.open(join(objects, 'pack', `pack-${name}`), count);
    return { run, reader, pack: kept, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
