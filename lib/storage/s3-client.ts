import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { hubError, isHubError } from '#lib/base/errors.ts';

export interface S3Options {
  readonly endpoint: string;
  /** Address that clients use; signatures cover the host, so URLs must be signed for this one. */
  readonly publicEndpoint?: string | undefined;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether clients may be sent to the store at all. */
  readonly direct: boolean;
}

/** Failures reach their caller as errors; the SDK would print some of them to the console as well. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * A client that adds no checksums of its own: the SDK's defaults bake the CRC of an empty body into presigned
 * PUTs and turn streams into trailer-chunked ones that some servers refuse.
 */
export function createS3Client(options: S3Options, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: options.region,
    forcePathStyle: true,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: 5_000,
      socketTimeout: 60_000,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
  });
}

/** Makes the bucket unless it exists, and lets browsers use it. The error says what the server answered. */
export async function ensureBucket(client: S3Client, Bucket: string): Promise<void> {
  await makeBucket(client, Bucket).catch((error: Error) => {
    throw hubError('not_ready', `object store, bucket "${Bucket}": ${error.name} ${error.message}`, {
      cause: error,
    });
  });
}

async function makeBucket(client: S3Client, Bucket: string): Promise<void> {
  const missing = await client.send(new HeadBucketCommand({ Bucket })).then(
    () => false,
    (error) => {
      if (error.$metadata?.httpStatusCode === 404) return true;
      throw error;
    },
  );
  if (!missing) return allowBrowsers(client, Bucket);
  await client.send(new CreateBucketCommand({ Bucket })).catch((error) => {
    if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
  });
  await allowBrowsers(client, Bucket);
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
    )
    .catch(ignoreNotImplemented);
}

/** Lets pages of any origin use signed URLs, unless the bucket has rules of its operator's already. */
async function allowBrowsers(client: S3Client, Bucket: string): Promise<void> {
  const hasRules = await client.send(new GetBucketCorsCommand({ Bucket })).then(
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
    .send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }))
    .catch(ignoreNotImplemented);
}

/** Stores without CORS or lifecycle settings exist, and work for every client but browsers. */
function ignoreNotImplemented(error: { $metadata?: { httpStatusCode?: number } }): void {
  if (error.$metadata?.httpStatusCode !== 501) throw error;
}

/** `not_ready` for whatever the store could not do, with the reason when an operator can mend it; an abort or an error of ours stays what it is. */
export function storeFailure(error: unknown): Error {
  if (isHubError(error)) return error;
  const failure = error as Error & { $metadata?: { httpStatusCode?: number } };
  if (failure.name === 'AbortError') return failure;
  if (failure.name === 'RequestTimeTooSkewed')
    return hubError(
      'not_ready',
      'the clocks of the hub and of the object store differ by more than the store allows: set both by NTP',
      { cause: failure },
    );
  return hubError('not_ready', 'the object store does not answer as it should; try again', {
    cause: failure,
    internal: `${failure.name} ${failure.$metadata?.httpStatusCode ?? ''} ${failure.message}`,
  });
}
