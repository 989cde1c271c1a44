import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { isHubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { pathsInfo } from '#lib/repos/read-tree.ts';
import type { Repo } from '#lib/repos/types.ts';
import type { EndpointRecord } from './db.ts';
import type { PullStatus } from './decide.ts';
import { type WeightsCache, WeightsMismatch, type WeightsSource } from './weights-cache.ts';

/** The weights cannot be had, and trying again will not change that. */
class Unusable extends Error {}

/** A pull at work: look at `status`, abort with `cancel`. */
export interface Pull {
  status: PullStatus;
  readonly cancel: () => void;
}

/**
 * Starts bringing an endpoint's weights from the hub's own store to this node's cache, verified. Returns at once;
 * `onEnd` is called when the status is final.
 */
export function startPull(app: App, cache: WeightsCache, endpoint: EndpointRecord, onEnd: () => void): Pull {
  const abort = new AbortController();
  const pull: Pull = {
    status: { status: 'running', doneBytes: 0, totalBytes: 0 },
    cancel: () => abort.abort(new Error('no longer wanted')),
  };
  const end = (status: PullStatus) => {
    pull.status = status;
    onEnd();
  };
  bring(app, cache, endpoint, pull, abort.signal).then(
    () => end({ status: 'done' }),
    (error: Error) => {
      app.log.warn({ err: error, endpoint: endpoint.id }, 'pull failed');
      end({ status: 'failed', reason: `${endpoint.path}: ${sayWhy(error)}`, fatal: isFatal(error) });
    },
  );
  return pull;
}

async function bring(
  app: App,
  cache: WeightsCache,
  endpoint: EndpointRecord,
  pull: Pull,
  signal: AbortSignal,
): Promise<void> {
  const source = await weightsOf(app, endpoint);
  const totalBytes = source.sizeBytes;
  const progress = (doneBytes: number) => {
    pull.status = { status: 'running', doneBytes, totalBytes };
  };
  progress(0);
  await requireGguf(await cache.ensure(source, progress, signal), endpoint.path);
}

/** For the endpoint's page: faults of the machine without its paths. */
function sayWhy(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOSPC') return "the worker's disk is full";
  return error.syscall ? `the worker could not store it (${error.code})` : error.message;
}

/** Trying again cannot help. */
function isFatal(error: Error): boolean {
  const refused = isHubError(error) && error.status < 500;
  return error instanceof Unusable || error instanceof WeightsMismatch || refused;
}

/** Where the bytes of the pinned file are: a large file of the repo, or a blob that git holds itself. */
async function weightsOf(app: App, endpoint: EndpointRecord): Promise<WeightsSource> {
  const { sha256, repoId } = endpoint;
  const file = (await findFiles(app.db, repoId, [sha256])).get(sha256);
  if (file) {
    return { sha256, sizeBytes: file.sizeBytes, open: (signal) => openFile(app, file, undefined, signal) };
  }
  const repo = { id: repoId } as Repo; // all that reading a tree asks for
  const [entry] = await pathsInfo(app, repo, endpoint.commitOid, [endpoint.path]);
  if (!entry || entry.lfs) throw new Unusable('the repo no longer holds the bytes of this file');
  const bytes = await readBlob(app.db, repoId, entry.oid);
  return { sha256, sizeBytes: bytes.length, open: async () => Readable.from([bytes]) };
}

/** Catches at once what is plainly something else: an HTML page, a git pointer, an archive. */
async function requireGguf(path: string, name: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    if (buffer.toString('latin1', 0, 4) === 'GGUF') return;
    const seen = buffer.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    throw new Unusable(`this is not a GGUF file, although its name is ${name}: it begins with "${seen}"`);
  } finally {
    await handle.close();
  }
}
