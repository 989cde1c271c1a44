import { connect } from 'node:net';

export interface LoadResult {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/**
 * Closed loop over `connections` keep-alive sockets for `seconds`, sending the same HEAD request again and again.
 * Speaks just enough HTTP to count answers, so that the load costs far less than what it measures.
 * Throws when an answer is not `expectStatus`.
 */
export async function loadHead(options: {
  port: number;
  path: string;
  headers?: Record<string, string>;
  connections: number;
  seconds: number;
  expectStatus: number;
}): Promise<LoadResult> {
  const extra = Object.entries(options.headers ?? {})
    .map(([k, v]) => `${k}: ${v}\r\n`)
    .join('');
  const request = Buffer.from(
    `HEAD ${options.path} HTTP/1.1\r\nHost: localhost:${options.port}\r\n${extra}\r\n`,
  );
  const expected = Buffer.from(`HTTP/1.1 ${options.expectStatus} `);
  const latencies: number[] = [];
  const startedMs = performance.now();
  const untilMs = startedMs + options.seconds * 1000;

  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(options.port, '127.0.0.1');
      let sentMs = 0;
      let pending = Buffer.alloc(0);
      const send = () => {
        sentMs = performance.now();
        socket.write(request);
      };
      socket.setNoDelay(true);
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (data) => {
        pending = pending.length === 0 ? data : Buffer.concat([pending, data]);
        if (pending.indexOf('\r\n\r\n') < 0) return;
        if (!pending.subarray(0, expected.length).equals(expected)) {
          socket.destroy();
          reject(new Error(`unexpected answer: ${pending.toString('latin1').slice(0, 300)}`));
          return;
        }
        pending = Buffer.alloc(0);
        const nowMs = performance.now();
        latencies.push(nowMs - sentMs);
        if (nowMs < untilMs) send();
        else {
          socket.end();
          resolve();
        }
      });
    });

  await Promise.all(Array.from({ length: options.connections }, one));
  const seconds = (performance.now() - startedMs) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return { requestsPerSecond: latencies.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
