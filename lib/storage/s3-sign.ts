import type { S3Client } from '@aws-sdk/client-s3';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { signedAt } from '#lib/base/signing-window.ts';

/** RFC 3986: what encodeURIComponent leaves alone but SigV4 wants escaped. */
function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export interface SignRequest {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  /** Headers the client must then send as they are; `host` is always one. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly expiresSeconds: number;
}

/**
 * Makes the function that signs URLs (SigV4 in the query, body unsigned) for one endpoint and bucket. It calls
 * the SDK's signer without its middleware stack: 0.1 ms instead of 0.7 ms for each of a thousand part URLs. The time is
 * the store's own, as far as the client has learnt from answers how far ours is off; for a GET it is rounded down
 * (signing-window.ts): two URLs for the same are the same for a while.
 */
export function createSigner(
  client: S3Client,
  endpoint: string,
  bucket: string,
): (request: SignRequest) => Promise<string> {
  const base = new URL(endpoint);
  const presigner = new S3RequestPresigner({
    credentials: client.config.credentials,
    region: client.config.region,
    sha256: client.config.sha256,
  });
  const root = `${base.pathname.replace(/\/$/, '')}/${escapeUri(bucket)}`;
  return async ({ method, key, query, headers, expiresSeconds }) => {
    const path = `${root}/${key.split('/').map(escapeUri).join('/')}`;
    const nowMs = Date.now() + client.config.systemClockOffset;
    const atMs = method === 'GET' ? signedAt(nowMs, expiresSeconds) : nowMs;
    const signed = await presigner.presign(
      {
        method,
        protocol: base.protocol,
        hostname: base.hostname,
        ...(base.port && { port: Number(base.port) }),
        path,
        query: { ...query },
        headers: { host: base.host, ...headers },
      },
      { expiresIn: expiresSeconds, signingDate: new Date(atMs) },
    );
    const pairs = Object.entries(signed.query ?? {}).map(
      ([k, v]) => `${escapeUri(k)}=${escapeUri(String(v))}`,
    );
    return `${base.protocol}//${base.host}${path}?${pairs.join('&')}`;
  };
}
