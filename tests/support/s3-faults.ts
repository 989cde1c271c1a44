import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a store misbehaves on one request. */
export type S3Fault =
  /** Answers so without doing anything: 503 SlowDown, 500 InternalError, 404 NoSuchKey, 403 RequestTimeTooSkewed. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  /** Does it, and answers so. */
  | { readonly kind: 'done-but'; readonly status: number; readonly code: string }
  /** Does it, and answers 200 with an error in the body, as S3 may when completing takes long. */
  | { readonly kind: 'done-but-200'; readonly code: string }
  /** Does it, and hangs up. */
  | { readonly kind: 'lost' }
  /** Waits first. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** The body breaks off after so many bytes. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** The body ends in order after so many bytes, with a length that says so. */
  | { readonly kind: 'short'; readonly bytes: number }
  /** One bit of the body is flipped. */
  | { readonly kind: 'corrupt' };

export interface S3Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface S3Faults {
  readonly endpoint: string;
  /** Decides about each request; null lets it pass. */
  rule: (request: S3Request) => S3Fault | null;
  /** Requests so far, as "PUT /bucket/key". */
  readonly seen: string[];
  close(): Promise<void>;
}

const errorBody = (code: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;

function answerError(res: ServerResponse, status: number, code: string): void {
  const body = errorBody(code);
  res
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

function answerBody(res: ServerResponse, from: IncomingMessage, fault: S3Fault | null): void {
  const headers = { ...from.headers };
  if (fault?.kind === 'short')
    headers['content-length'] = String(Math.min(fault.bytes, Number(headers['content-length'] ?? 0)));
  res.writeHead(from.statusCode ?? 502, headers);
  let sent = 0;
  from.on('data', (chunk: Buffer) => {
    let part = chunk;
    if (fault?.kind === 'corrupt' && sent === 0) {
      part = Buffer.from(chunk);
      part[0] = (part[0] as number) ^ 1;
    }
    if (fault?.kind === 'truncate' || fault?.kind === 'short')
      part = part.subarray(0, Math.max(0, fault.bytes - sent));
    sent += chunk.length;
    res.write(part);
    if (fault?.kind === 'truncate' && sent >= fault.bytes) setTimeout(() => res.destroy(), 20);
  });
  from.on('end', () => (fault?.kind === 'truncate' ? res.destroy() : res.end()));
}

/** A real store behind a relay that understands S3 well enough to lie about single requests. */
export async function startS3Faults(target: string): Promise<S3Faults> {
  const { hostname, port } = new URL(target);
  const faults: S3Faults = { endpoint: '', rule: () => null, seen: [], close: async () => {} };
  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', 'http://store');
    const method = req.method ?? 'GET';
    faults.seen.push(`${method} ${url.pathname}`);
    const fault = faults.rule({ method, path: url.pathname, query: url.searchParams });
    if (fault?.kind === 'answer') {
      req.resume();
      answerError(res, fault.status, fault.code);
      return;
    }
    if (fault?.kind === 'stall') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    // The signature covers the Host header: it passes as it came.
    const upstream = request({ hostname, port, method, path: req.url, headers: req.headers }, (answer) => {
      if (fault?.kind === 'lost') return answer.resume().on('end', () => res.destroy());
      if (fault?.kind === 'done-but')
        return answer.resume().on('end', () => answerError(res, fault.status, fault.code));
      if (fault?.kind === 'done-but-200')
        return answer.resume().on('end', () => answerError(res, 200, fault.code));
      return answerBody(res, answer, fault);
    });
    upstream.on('error', () => res.destroy());
    res.on('close', () => upstream.destroy());
    req.pipe(upstream);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return Object.assign(faults, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}
