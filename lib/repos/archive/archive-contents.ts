import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { type Pieces, piecesOf } from '#lib/storage/pieces.ts';
import { findFiles } from '../files/find-files.ts';
import { openPieces } from '../files/open-file.ts';
import { selectObjects } from '../git/db.ts';
import { decodeObject, KIND, type StoredGitObject } from '../git/objects.ts';
import type { RepoFile } from '../types.ts';
import type { ArchiveFile } from './archive-files.ts';

/** A file with its bytes: whole, or in pieces when it is a large one. */
export type ArchiveContent =
  | { readonly file: ArchiveFile; readonly bytes: Buffer }
  | { readonly file: ArchiveFile; readonly pieces: Pieces };

/** Small files are read from the database so many, or so many bytes, at a time, while the batch before is written. */
const BATCH_FILES = 500;
const BATCH_BYTES = 4 * 1024 * 1024;
/** Large files are opened so many ahead, as long as they are close: a store may be 50 ms away. */
const OPEN_AHEAD = 4;
const OPEN_AHEAD_BYTES = 8 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

interface Batch {
  readonly files: readonly ArchiveFile[];
  readonly blobs: ReadonlyMap<Oid, StoredGitObject>;
  readonly large: ReadonlyMap<Sha256, RepoFile>;
}

function* batchesOf(files: readonly ArchiveFile[]): Generator<ArchiveFile[]> {
  let batch: ArchiveFile[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    if (file.sha256 === null) bytes += file.sizeBytes;
    if (batch.length < BATCH_FILES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function load(app: App, repoId: RepoId, files: readonly ArchiveFile[]): Promise<Batch> {
  const oids = files.flatMap(({ oid, sha256 }) => (oid !== null && sha256 === null ? [oid] : []));
  const sha256s = files.flatMap(({ sha256 }) => sha256 ?? []);
  const blobs = oids.length === 0 ? new Map() : await selectObjects(app.db, repoId, [...new Set(oids)]);
  return { files, blobs, large: await findFiles(app.db, repoId, [...new Set(sha256s)]) };
}

/** Large files of one batch, opened before their turn. */
class Ahead {
  readonly #opened = new Map<number, Promise<Pieces>>();
  readonly #app: App;
  readonly #batch: Batch;
  readonly #signal: AbortSignal;

  constructor(app: App, batch: Batch, signal: AbortSignal) {
    this.#app = app;
    this.#batch = batch;
    this.#signal = signal;
  }

  /** The file at `index`; those that follow soon are opened as well. */
  take(index: number): Promise<Pieces> {
    let bytes = 0;
    for (let at = index; at < this.#batch.files.length; at++) {
      const file = this.#batch.files[at] as ArchiveFile;
      if (file.sha256 !== null && !this.#opened.has(at)) this.#opened.set(at, this.#open(file.sha256));
      bytes += file.sizeBytes;
      if (bytes > OPEN_AHEAD_BYTES || this.#opened.size >= OPEN_AHEAD) break;
    }
    const taken = this.#opened.get(index) as Promise<Pieces>;
    this.#opened.delete(index);
    return taken;
  }

  async close(): Promise<void> {
    for (const pieces of this.#opened.values()) await pieces.then((p) => p.return()).catch(() => {});
  }

  #open(sha256: Sha256): Promise<Pieces> {
    const file = this.#batch.large.get(sha256);
    const opened = file
      ? openPieces(this.#app, file, { signal: this.#signal, isCounted: true }).then(begun)
      : Promise.reject(new Error(`large file ${sha256} was deleted while it was archived`));
    opened.catch(() => {}); // it is awaited later, or the reader has left
    return opened;
  }
}

/** Pieces of which the first is fetched already, before anybody asks. */
function begun(pieces: Pieces): Pieces {
  const first = pieces.next();
  first.catch(() => {}); // it is awaited later, or the reader has left
  async function* all(): AsyncGenerator<Buffer> {
    const { done, value } = await first;
    if (done) return;
    yield value;
    yield* pieces;
  }
  return piecesOf(all(), async () => void (await pieces.return()));
}

/**
 * The bytes of the files in order. Queries: two per 500 files. Bounded by two batches of small files, deflated, and
 * the buffers of one download; leaving early frees all of it. Throws when a file cannot be read.
 */
export async function* archiveContents(
  app: App,
  repoId: RepoId,
  files: readonly ArchiveFile[],
  signal: AbortSignal,
): AsyncGenerator<ArchiveContent> {
  const batches = batchesOf(files);
  const loadNext = () => {
    const { value } = batches.next();
    const loading = value ? load(app, repoId, value) : undefined;
    loading?.catch(() => {}); // it is awaited later, or the reader has left
    return loading;
  };
  for (let loading = loadNext(); loading !== undefined; ) {
    const batch = await loading;
    loading = loadNext();
    const ahead = new Ahead(app, batch, signal);
    try {
      for (const [index, file] of batch.files.entries()) {
        signal.throwIfAborted();
        if (file.oid === null) yield { file, bytes: NOTHING };
        else if (file.sha256 !== null) yield { file, pieces: await ahead.take(index) };
        else yield { file, bytes: await blobOf(batch, file.oid) };
      }
    } finally {
      await ahead.close();
    }
  }
}

async function blobOf(batch: Batch, oid: Oid): Promise<Buffer> {
  const object = batch.blobs.get(oid);
  if (object?.kind !== KIND.blob) throw new Error(`blob ${oid} is missing`);
  return decodeObject(object);
}
