import type { S3Client } from '@aws-sdk/client-s3';
import type { Log } from '#lib/base/log.ts';
import { ensureBucket, touchBucket } from './s3-bucket.ts';

const TRY_FOR_MS = 10_000;
const AGAIN_AFTER_MS = 2_000;
/** Who asks more often gets the last answer: a probe of many costs the store one request. */
const FRESH_MS = 1_000;
const ANSWER_WITHIN_MS = 3_000;

/** How a connection that nobody takes, or that ends, is reported. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'TimeoutError',
  'AbortError',
]);

interface Failure extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Whether waiting may help: the store does not answer, or has trouble of its own. A refusal is a wrong setting. */
function isAway({ name, code, $metadata }: Failure): boolean {
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || status === 429;
  return AWAY.has(code ?? '') || AWAY.has(name);
}

/** For everybody: no address of the store, no key. */
function publicReason(error: Failure): string {
  const what = error.code ?? error.name;
  return `the object store ${isAway(error) ? 'does not answer' : 'refuses the hub'} (${what})`;
}

export interface Readiness {
  /** Null when the store answers and the bucket is there, else why not; what was found a second ago at most. */
  whyNot(): Promise<string | null>;
  close(): void;
}

/**
 * Makes the bucket unless it exists. A store that is away (no answer, or its own trouble) is waited for when `log` is
 * given: this returns, and tries again every two seconds until it succeeds. Whatever else is wrong (keys, name of the
 * bucket, no right to make it) is thrown, and so is everything without `log`.
 */
export async function openBucket(client: S3Client, Bucket: string, log?: Log): Promise<Readiness> {
  const open = () => ensureBucket(client, Bucket, AbortSignal.timeout(TRY_FOR_MS));
  let pending: Failure | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const failed = (error: Error & { cause?: unknown }) => {
    const cause = error.cause as Failure;
    if (log === undefined || (pending === null && !isAway(cause))) throw error;
    if (pending?.message !== cause.message)
      log.error(
        { err: error },
        'the object store is away: pages and metadata work, bytes get 503 until it answers',
      );
    pending = cause;
    if (!isClosed) timer = setTimeout(again, AGAIN_AFTER_MS).unref();
  };
  const again = () =>
    void open().then(() => {
      pending = null;
      log?.info('the object store is there: all works');
    }, failed);
  await open().catch(failed);

  let last: { readonly atMs: number; readonly answer: Promise<string | null> } | undefined;
  const ask = async (): Promise<string | null> => {
    if (pending !== null) return publicReason(pending);
    return touchBucket(client, Bucket, AbortSignal.timeout(ANSWER_WITHIN_MS)).then(() => null, publicReason);
  };
  return {
    whyNot() {
      const nowMs = performance.now();
      if (last === undefined || nowMs - last.atMs > FRESH_MS) last = { atMs: nowMs, answer: ask() };
      return last.answer;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
