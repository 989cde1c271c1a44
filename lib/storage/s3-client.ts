import { S3Client } from '@aws-sdk/client-s3';
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
