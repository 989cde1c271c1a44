import { pipeline, type Readable } from 'node:stream';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { contentDisposition } from '#lib/base/content-disposition.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Log } from '#lib/base/log.ts';
import { exactLength } from './exact-length.ts';
import { type ByteRange, type ObjectInfo, ObjectMissing, type ObjectStore } from './object-store.ts';
import { piecesOf } from './pieces.ts';
import { probeStore } from './probe-store.ts';
import { createS3Client, type S3Options, storeFailure } from './s3-client.ts';
import { createS3Multipart, MIN_PART_BYTES } from './s3-multipart.ts';
import { openBucket } from './s3-readiness.ts';
import { sendBody } from './s3-send-body.ts';
import { createSigner } from './s3-sign.ts';

/** S3's own limit for one PUT. */
const MAX_PUT_BYTES = 5 * 2 ** 30;
const DELETE_BATCH = 1000;

/**
 * Objects in a bucket of any S3-compatible server; the bucket is made when it is missing. Signed URLs are made
 * for `publicEndpoint`, and none at all when `direct` is false. No answer depends on checksums, conditional
 * writes or etags of the server (faults.md §3). With `log` a store that is away does not keep it from being made: calls
 * are not_ready until it answers. Throws not_ready when the store refuses us, and without `log` when it is away.
 */
export async function createS3Store(options: S3Options, log?: Log): Promise<ObjectStore> {
  const client = createS3Client(options, options.endpoint);
  const sign = createSigner(client, options.publicEndpoint ?? options.endpoint, options.bucket);
  const readiness = await openBucket(client, options.bucket, log);
  const Bucket = options.bucket;

  const store: Omit<ObjectStore, 'probe'> = {
    kind: 's3',
    minPartBytes: MIN_PART_BYTES,
    hasUniqueEtags: false,
    async put(Key, body, { sizeBytes, signal }) {
      if (sizeBytes > MAX_PUT_BYTES)
        throw hubError('too_large', 'one PUT takes at most 5 GiB; use a multipart upload');
      await sendBody(body, sizeBytes, signal, (Body, abortSignal) =>
        client.send(new PutObjectCommand({ Bucket, Key, Body, ContentLength: sizeBytes }), { abortSignal }),
      );
    },
    get: (key, getOptions = {}) => read(client, Bucket, key, getOptions),
    async pieces(key, getOptions = {}) {
      const body = await read(client, Bucket, key, getOptions);
      return piecesOf(body.iterator() as AsyncIterator<Buffer>, () => void body.destroy());
    },
    async fill(key, start, target, signal) {
      const range = { start, end: start + target.length - 1 };
      const body = await read(client, Bucket, key, { range, ...(signal && { signal }) });
      let filled = 0;
      for await (const part of body as AsyncIterable<Buffer>) {
        target.set(part, filled);
        filled += part.length;
      }
    },
    head: (key) => head(client, Bucket, key),
    delete: (keys) => deleteAll(client, Bucket, keys),
    list: (prefix) => list(client, Bucket, prefix),
    async signGet(key, { expiresSeconds, range, filename, contentType }) {
      if (!options.direct) return null;
      const query = {
        ...(filename !== undefined && {
          'response-content-disposition': contentDisposition('attachment', filename),
        }),
        ...(contentType !== undefined && { 'response-content-type': contentType }),
      };
      const headers = range ? { range: rangeHeader(range) } : {};
      return sign({ method: 'GET', key, query, headers, expiresSeconds });
    },
    ...createS3Multipart(client, sign, options),
    whyNotReady: () => readiness.whyNot(),
    async close() {
      readiness.close();
      client.destroy();
    },
  };
  return { ...store, probe: () => probeStore(store) };
}

function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${start}-${end}`;
}

async function read(
  client: S3Client,
  Bucket: string,
  key: string,
  { range, signal }: { range?: ByteRange; signal?: AbortSignal },
): Promise<Readable> {
  const command = new GetObjectCommand({ Bucket, Key: key, ...(range && { Range: rangeHeader(range) }) });
  const answer = await client.send(command, signal ? { abortSignal: signal } : {}).catch((error) => {
    if (error.name === 'NoSuchKey') throw new ObjectMissing(key);
    if (error.name === 'InvalidRange')
      throw hubError('range_not_satisfiable', `bytes ${range?.start}-${range?.end} are not in the object`);
    throw storeFailure(error);
  });
  const body = answer.Body as Readable;
  const length = answer.ContentLength ?? 0;
  if (range && length !== range.end - range.start + 1) {
    body.destroy();
    throw hubError('range_not_satisfiable', `bytes ${range.start}-${range.end} are not in the object`);
  }
  return pipeline(body, exactLength(length), () => {});
}

async function head(client: S3Client, Bucket: string, key: string): Promise<ObjectInfo | null> {
  const answer = await client.send(new HeadObjectCommand({ Bucket, Key: key })).catch((error) => {
    if (error.$metadata?.httpStatusCode === 404) return null;
    throw storeFailure(error);
  });
  if (!answer) return null;
  return { key, sizeBytes: answer.ContentLength ?? 0, lastModifiedMs: answer.LastModified?.getTime() ?? 0 };
}

async function deleteAll(client: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += DELETE_BATCH) {
    const Objects = keys.slice(at, at + DELETE_BATCH).map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } });
    const { Errors } = await client.send(command).catch((error) => {
      throw storeFailure(error);
    });
    const failed = Errors?.find((e) => e.Code !== 'NoSuchKey');
    if (failed) throw storeFailure(new Error(`delete ${failed.Key}: ${failed.Code} ${failed.Message}`));
  }
}

async function* list(client: S3Client, Bucket: string, prefix: string): AsyncGenerator<ObjectInfo> {
  let token: string | undefined;
  do {
    const page = await client
      .send(new ListObjectsV2Command({ Bucket, Prefix: prefix, ...(token && { ContinuationToken: token }) }))
      .catch((error) => {
        throw storeFailure(error);
      });
    for (const o of page.Contents ?? [])
      yield { key: o.Key ?? '', sizeBytes: o.Size ?? 0, lastModifiedMs: o.LastModified?.getTime() ?? 0 };
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
}
