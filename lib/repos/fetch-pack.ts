import { createReadStream } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from './access.ts';
import { type BareRepo, bareCacheOf } from './bare/bare-cache.ts';
import { gitSlots } from './bare/git-slots.ts';
import { GrowingPack } from './bare/growing-pack.ts';
import { areAllTips, tipsOf } from './bare/ref-snapshot.ts';
import { GitFailure, startGit } from './bare/run-git.ts';
import type { Repo, RepoRef } from './types.ts';

export interface FetchRequest {
  readonly wants: readonly Oid[];
  /** The client says nothing of what it has. */
  readonly isFresh: boolean;
  /** Besides, the client wants all that its wants reach, and now (protocol version 2). */
  readonly isClone: boolean;
  /** The request as it came, for git. */
  readonly body: Buffer;
}

/**
 * A client may want any object that the refs reach: partial clones fetch blobs by their ids. What git finds in the
 * bare repo it gives, so such a request is answered from one that holds nothing else.
 */
const SETTINGS = [
  'uploadpack.allowAnySHA1InWant=true',
  'uploadpack.allowFilter=true',
  'uploadpack.advertiseBundleURIs=false',
  'pack.window=0',
  'pack.allowPackReuse=true',
];

function needsPure({ wants, isFresh }: FetchRequest, bare: BareRepo): boolean {
  if (bare.isPure) return false;
  const tips = tipsOf(bare.snapshot);
  return !isFresh || wants.some((oid) => !tips.has(oid));
}

export type Fetched =
  /** An answer as git gives it. */
  | { readonly kind: 'answer'; readonly body: Readable }
  /** The pack itself, which the caller puts into an answer. */
  | { readonly kind: 'pack'; readonly body: Readable };

/** The pack that answers a plain clone of all refs as it lies: no process, nothing is counted or written again. */
function wholePackFor({ wants, isClone }: FetchRequest, { wholePack, snapshot }: BareRepo): string | null {
  return isClone && areAllTips(wants, snapshot) ? wholePack : null;
}

function sendPack(ctx: Ctx, path: string, release: () => void): Readable {
  const body = createReadStream(path, { highWaterMark: 1024 * 1024, signal: ctx.signal });
  return body.once('close', release);
}

/** The bare repo that can answer. */
async function openFor(
  ctx: Ctx,
  repo: Repo,
  request: FetchRequest,
  onWhole: (pack: GrowingPack) => void,
): Promise<BareRepo> {
  const cache = bareCacheOf(ctx);
  const { signal } = ctx;
  const { wants, isClone } = request;
  const bare = await cache.open(repo, {
    mustBePure: false,
    signal,
    ...(isClone && { clone: { wants, onWhole } }),
  });
  if (!needsPure(request, bare)) return bare;
  bare.release();
  return cache.open(repo, { mustBePure: true, signal });
}

/**
 * What git answers to a fetch, as a stream that ends with git. The process ends when the client goes away. A clone of
 * all that is read from the database just now is sent while it is read. Throws
 * repo_not_found, overloaded (too many at a time), not_implemented (no git here). `read` is called once the caller
 * may read the repo.
 */
export async function fetchPack(
  ctx: Ctx,
  ref: RepoRef,
  protocol: string | undefined,
  read: () => Promise<FetchRequest>,
): Promise<Fetched> {
  const repo = await requireRead(ctx, ref);
  const release = await gitSlots(ctx).hold(ctx.signal);
  let opened: Promise<BareRepo> | undefined;
  // what is read for others goes on when this client has gone
  const done = () =>
    void (opened ?? Promise.reject())
      .then((bare) => bare.release())
      .catch(() => {}) // told to whoever waits for it
      .finally(release);
  try {
    const request = await read();
    const begun = Promise.withResolvers<GrowingPack>();
    opened = openFor(ctx, repo, request, begun.resolve);
    const first = await Promise.race([begun.promise, opened]);
    if (first instanceof GrowingPack)
      return { kind: 'pack', body: Readable.from(first.read(ctx.signal)).once('close', done) };
    const pack = wholePackFor(request, first);
    return pack !== null
      ? { kind: 'pack', body: sendPack(ctx, pack, done) }
      : { kind: 'answer', body: serve(ctx, first, protocol, request, done) };
  } catch (error) {
    done();
    throw error;
  }
}

function serve(
  ctx: Ctx,
  bare: BareRepo,
  protocol: string | undefined,
  request: FetchRequest,
  release: () => void,
): Readable {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const child = startGit({
    args: [...settings, 'upload-pack', '--stateless-rpc', '--strict', '.'],
    gitDir: bare.gitDir,
    protocol,
    signal: ctx.signal,
  });
  child.stdin.end(request.body);
  const out = new PassThrough();
  const run = async () => {
    let sent = 0;
    try {
      child.stdout.on('data', (chunk: Buffer) => {
        sent += chunk.length;
      });
      await pipeline(child.stdout, out, { end: false });
      await child.done;
      out.end();
    } catch (error) {
      ctx.log.info({ err: error, repoId: ctx.requestId }, 'git upload-pack failed');
      // git has told the client by itself what is wrong, when it could
      if (error instanceof GitFailure && sent > 0) out.end();
      else out.destroy(error instanceof GitFailure ? unanswered(error) : (error as Error));
    } finally {
      release();
    }
  };
  void run();
  return out;
}

const unanswered = (failure: GitFailure) =>
  hubError('invalid_input', `git cannot answer this: ${failure.stderr.split('\n').at(-1) ?? ''}`, {
    cause: failure,
  });
