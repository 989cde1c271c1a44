import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { checkPartNumber, checkParts } from './check-parts.ts';
import type { MultipartInfo, ObjectStore, PartOptions, StoredPart, UploadedPart } from './object-store.ts';
import { type S3Options, storeFailure } from './s3-client.ts';
import { sendBody } from './s3-send-body.ts';
import type { SignRequest } from './s3-sign.ts';

type Multipart = Pick<
  ObjectStore,
  'beginMultipart' | 'signPart' | 'putPart' | 'completeMultipart' | 'abortMultipart' | 'listMultipart'
>;

/** S3's floor for every part but the last. */
export const MIN_PART_BYTES = 5 * 2 ** 20;

/** Names under which servers report parts that do not fit: the client's doing, not the store's. */
const PART_ERRORS = new Set([
  'InvalidPart',
  'InvalidPartOrder',
  'EntityTooSmall',
  'MalformedXML',
  'InvalidRequest',
]);

/** The multipart half of the S3 adapter. Part URLs sign `host` alone: clients send no other headers. */
export function createS3Multipart(
  client: S3Client,
  sign: (request: SignRequest) => Promise<string>,
  options: S3Options,
): Multipart {
  const Bucket = options.bucket;
  return {
    async beginMultipart(Key) {
      const { UploadId } = await client
        .send(new CreateMultipartUploadCommand({ Bucket, Key }))
        .catch((error) => {
          throw storeFailure(error);
        });
      if (!UploadId) throw storeFailure(new Error('the store gave no upload id'));
      return UploadId;
    },

    async signPart(key, uploadId, partNumber, expiresSeconds) {
      if (!options.direct) return null;
      const query = { partNumber: String(checkPartNumber(partNumber)), uploadId };
      return sign({ method: 'PUT', key, query, expiresSeconds });
    },

    putPart: (key, uploadId, partNumber, body, limits) =>
      put(client, Bucket, { key, uploadId, partNumber }, body, limits),

    completeMultipart: (key, uploadId, parts) => complete(client, Bucket, { key, uploadId, parts }),

    async abortMultipart(Key, UploadId) {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch((error) => {
        if (error.name !== 'NoSuchUpload') throw storeFailure(error);
      });
    },

    listMultipart: () => list(client, Bucket),
  };
}

async function* list(client: S3Client, Bucket: string): AsyncGenerator<MultipartInfo> {
  let after: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket, ...after })).catch((error) => {
      throw storeFailure(error);
    });
    for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
      yield { key: Key ?? '', uploadId: UploadId ?? '', lastModifiedMs: Initiated?.getTime() ?? Date.now() };
    if (!page.IsTruncated) return;
    after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

async function put(
  client: S3Client,
  Bucket: string,
  { key: Key, uploadId: UploadId, partNumber }: { key: string; uploadId: string; partNumber: number },
  body: Readable | Uint8Array,
  { sizeBytes, signal }: PartOptions,
): Promise<StoredPart> {
  const PartNumber = checkPartNumber(partNumber);
  const part = { Bucket, Key, UploadId, PartNumber, ContentLength: sizeBytes };
  const { ETag } = await sendBody(body, sizeBytes, signal, (Body, abortSignal) =>
    client.send(new UploadPartCommand({ ...part, Body }), { abortSignal }),
  ).catch(async (error) => {
    // A server that knows no such upload may answer and hang up before it read the body: that looks like an outage.
    const failed = isHubError(error) && error.code === 'not_ready';
    if (failed && !(await exists(client, new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 }))))
      throw noUpload();
    throw error;
  });
  return { partNumber, etag: ETag ?? '', sizeBytes };
}

async function complete(
  client: S3Client,
  Bucket: string,
  { key: Key, uploadId: UploadId, parts }: { key: string; uploadId: string; parts: readonly UploadedPart[] },
): Promise<void> {
  const Parts = checkParts(parts).map((p) => ({ PartNumber: p.partNumber, ETag: p.etag }));
  const command = new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } });
  await client.send(command).catch(async (error) => {
    if (PART_ERRORS.has(error.name))
      throw hubError('invalid_input', 'a part was not uploaded, is too small or its etag differs', {
        internal: `${error.name}: ${error.message}`,
      });
    // An answer may be lost or be a 500 although the store did it, and Ceph says "in progress" of an upload that
    // was given up. Keys are used once, so an object under this key is this upload, completed.
    if (await exists(client, new HeadObjectCommand({ Bucket, Key }))) return;
    if (await exists(client, new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 1 })))
      throw storeFailure(error);
    throw noUpload();
  });
}

function exists(client: S3Client, command: HeadObjectCommand | ListPartsCommand): Promise<boolean> {
  return client.send(command as HeadObjectCommand).then(
    () => true,
    (error) => {
      if (error.$metadata?.httpStatusCode === 404) return false;
      throw storeFailure(error);
    },
  );
}

function noUpload() {
  return hubError('invalid_input', 'no such upload: it was never begun, is complete or was given up');
}
