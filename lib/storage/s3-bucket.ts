import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { hubError } from '#lib/base/errors.ts';

/** Asks for the bucket. Throws what the store says of it, by its own name where it refuses us. */
export async function touchBucket(client: S3Client, Bucket: string, abortSignal: AbortSignal): Promise<void> {
  await client.send(new HeadBucketCommand({ Bucket }), { abortSignal }).catch(async (error) => {
    const status = error.$metadata?.httpStatusCode ?? 0;
    if (status === 404 || status < 400 || status >= 500) throw error;
    // An answer to HEAD has no body, and so no reason: asked with GET the store gives it.
    await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }), { abortSignal });
  });
}

/**
 * Makes the bucket unless it exists, and lets browsers use it. Throws not_ready: the message says what the server
 * answered, the cause is the failure itself.
 */
export async function ensureBucket(client: S3Client, Bucket: string, signal: AbortSignal): Promise<void> {
  await makeBucket(client, Bucket, signal).catch((error: Error) => {
    throw hubError('not_ready', `object store, bucket "${Bucket}": ${error.name} ${error.message}`, {
      cause: error,
    });
  });
}

async function makeBucket(client: S3Client, Bucket: string, abortSignal: AbortSignal): Promise<void> {
  const missing = await touchBucket(client, Bucket, abortSignal).then(
    () => false,
    (error) => {
      if (error.$metadata?.httpStatusCode === 404) return true;
      throw error;
    },
  );
  if (!missing) return allowBrowsers(client, Bucket, abortSignal);
  await client.send(new CreateBucketCommand({ Bucket }), { abortSignal }).catch((error) => {
    if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
  });
  await allowBrowsers(client, Bucket, abortSignal);
  // Our own sweep ends uploads that are recorded; this ends what a crash kept from being recorded.
  const abandoned = {
    ID: 'abandoned-uploads',
    Status: 'Enabled' as const,
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 30 },
  };
  await client
    .send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [abandoned] } }),
      { abortSignal },
    )
    .catch(ignoreNotImplemented);
}

/** Lets pages of any origin use signed URLs, unless the bucket has rules of its operator's already. */
async function allowBrowsers(client: S3Client, Bucket: string, abortSignal: AbortSignal): Promise<void> {
  const hasRules = await client.send(new GetBucketCorsCommand({ Bucket }), { abortSignal }).then(
    () => true,
    // Who may not read the rules may not write them either, and some stores know none.
    (error) => error.name !== 'NoSuchCORSConfiguration',
  );
  if (hasRules) return;
  // Any origin: what gives the right is the signature in the URL, and browsers must read ETag of a part.
  const rule = {
    AllowedOrigins: ['*'],
    AllowedMethods: ['GET', 'HEAD', 'PUT'],
    AllowedHeaders: ['*'],
    ExposeHeaders: ['ETag', 'Content-Range', 'Accept-Ranges', 'Content-Length'],
  };
  await client
    .send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }), { abortSignal })
    .catch(ignoreNotImplemented);
}

/** Stores without CORS or lifecycle settings exist, and work for every client but browsers. */
function ignoreNotImplemented(error: { $metadata?: { httpStatusCode?: number } }): void {
  if (error.$metadata?.httpStatusCode !== 501) throw error;
}
