import { AsyncLocalStorage } from 'node:async_hooks';
import { DataStore, type Locker, Server, Upload } from '@tus/server';
import { newId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { appendBytes } from '#lib/repos/files/tus/append-bytes.ts';
import { cancelUpload } from '#lib/repos/files/tus/cancel-upload.ts';
import { createUpload } from '#lib/repos/files/tus/create-upload.ts';
import { requireOwnUpload } from '#lib/repos/files/tus/find-upload.ts';
import { finishUpload } from '#lib/repos/files/tus/finish-upload.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { isTrue } from '../hf/repo-params.ts';
import type { WireRequest } from '../request.ts';

/** One request on its way through the tus server, which knows nothing of ours. */
export interface TusExchange {
  readonly ctx: Ctx;
  readonly req: WireRequest;
  readonly ref: RepoRef;
  /** From the address; empty for a creation. */
  readonly id: string;
  /** When the upload will be given up, unless it is complete. */
  expiresAt?: Date;
  /** Upload-Metadata of an upload that was asked for. */
  metadata?: string;
  sha256?: string;
  /** The first error: what is answered. */
  error?: unknown;
}

/** The exchange that the current call of the tus server serves. */
export const exchanges = new AsyncLocalStorage<TusExchange>();

function exchange(): TusExchange {
  const found = exchanges.getStore();
  if (!found) throw new Error('the tus server was called outside of a request');
  return found;
}

/** tus counts the time to live from a creation; ours counts from the last byte, and is ours to enforce. */
const NO_EXPIRATION = 0;

/** The uploads as rows and parts at the object store. Bodies are read from the socket itself: see answerTus. */
class UploadStore extends DataStore {
  override extensions = ['creation', 'creation-with-upload', 'expiration', 'termination'];

  override getExpiration(): number {
    return NO_EXPIRATION;
  }

  override async create(upload: Upload): Promise<Upload> {
    const x = exchange();
    const { path, revision, createPr, sha256 } = upload.metadata ?? {};
    const { expiresAt } = await createUpload(x.ctx, x.ref, {
      id: upload.id,
      path: path ?? '',
      revision: revision || 'HEAD',
      createPr: isTrue(createPr),
      sizeBytes: upload.size as number,
      sha256: sha256 || undefined,
      metadata: x.req.header('upload-metadata') ?? '',
    });
    x.expiresAt = expiresAt;
    return upload;
  }

  override async getUpload(id: string): Promise<Upload> {
    const x = exchange();
    const upload = await requireOwnUpload(x.ctx, x.ref, id);
    x.expiresAt = upload.expiresAt;
    if (upload.sha256) x.sha256 = upload.sha256;
    // Whoever asks about an upload whose bytes are all here asks whether the file is there: the answer must be yes.
    else if (x.req.method === 'HEAD' && upload.receivedBytes === upload.sizeBytes)
      x.sha256 = await finishUpload(x.ctx, x.ref, upload);
    x.metadata = upload.metadata;
    return new Upload({ id, size: upload.sizeBytes, offset: upload.receivedBytes });
  }

  override async write(empty: NodeJS.ReadableStream, id: string, offset: number): Promise<number> {
    empty.resume();
    const { ctx, req, ref } = exchange();
    const upload = await requireOwnUpload(ctx, ref, id);
    if (upload.state === 'done') return upload.sizeBytes;
    return appendBytes(ctx, ref, upload, offset, { stream: req.raw, lengthBytes: req.contentLength() });
  }

  override async remove(id: string): Promise<void> {
    const { ctx, ref } = exchange();
    await cancelUpload(ctx, ref, id);
  }
}

/** The lease in the row is the lock: it holds across processes. */
const locker: Locker = { newLock: () => ({ lock: async () => {}, unlock: async () => {} }) };

/** tus 1.0.0 (https://tus.io/protocols/resumable-upload), by its authors' own server. */
export const tusServer = new Server({
  path: '/',
  datastore: new UploadStore(),
  locker,
  namingFunction: () => newId(),
  getFileIdFromRequest: () => exchange().id || undefined,
  generateUrl: (_req, { id }) =>
    `${exchange().ctx.publicUrl}${exchange().req.rawPath.replace(/\/$/, '')}/${id}`,
  async onUploadFinish(_req, upload) {
    const x = exchange();
    x.sha256 = await finishUpload(x.ctx, x.ref, await requireOwnUpload(x.ctx, x.ref, upload.id));
    return {};
  },
  onResponseError(_req, error) {
    exchange().error ??= error;
    return undefined;
  },
});
