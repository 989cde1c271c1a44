import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { piecesOf } from '#lib/storage/pieces.ts';
import { BasedResponse, sendPieces } from '#lib/wire/respond.ts';

const PIECE = 1 << 20;
let server: Server<typeof IncomingMessage, typeof BasedResponse> | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

interface Served {
  readonly port: number;
  /** Resolves when the pieces were ended, with how many were asked for. */
  readonly ended: Promise<number>;
}

async function serve(count: number, options: { stallMs?: number; failAt?: number } = {}): Promise<Served> {
  let asked = 0;
  const bytes = Buffer.alloc(PIECE);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (; asked < count; asked++) {
      if (asked === options.failAt) throw new Error('the disk is gone');
      yield bytes.fill(asked); // the same memory again and again, as real sources have it
    }
  }
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const started = createServer({ ServerResponse: BasedResponse }, (_req, res) => {
    const source = piecesOf(pieces(), () => resolve(asked));
    sendPieces(res, 200, { 'content-length': count * PIECE }, source, options.stallMs).catch(() => {});
  });
  server = started;
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done));
  return { port: (started.address() as AddressInfo).port, ended };
}

/** A socket that has sent the request and reads nothing yet. */
function ask(port: number) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return socket;
}

test('what is sent is what was yielded, although its memory is used again', async () => {
  const { port } = await serve(30);
  const got = Buffer.from(await (await fetch(`http://127.0.0.1:${port}`)).arrayBuffer());
  expect(got.length).toBe(30 * PIECE);
  for (let i = 0; i < 30; i++)
    expect(got.subarray(i * PIECE, (i + 1) * PIECE).equals(Buffer.alloc(PIECE, i))).toBe(true);
});

test('a client that takes nothing is cut off, having cost a few pieces, and the source is ended', async () => {
  const { port, ended } = await serve(1000, { stallMs: 300 });
  const socket = ask(port);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  expect(await ended).toBeLessThan(20);
  socket.resume();
  await closed;
});

test('a client that reads slowly but steadily gets all of it', async () => {
  const { port } = await serve(12, { stallMs: 1000 });
  const socket = ask(port);
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) received += chunk.length;
      if (received < 12 * PIECE) return;
      clearInterval(timer);
      resolve();
    }, 10);
    socket.once('close', () => {
      clearInterval(timer);
      reject(new Error(`cut off after ${received}`));
    });
  });
  socket.destroy();
});

test('a source that fails in the middle breaks the connection', async () => {
  const { port } = await serve(10, { failAt: 5 });
  await expect(fetch(`http://127.0.0.1:${port}`).then((a) => a.arrayBuffer())).rejects.toThrow();
});

test('a client that leaves ends the source', async () => {
  const { port, ended } = await serve(1000);
  const socket = ask(port);
  socket.once('data', () => socket.destroy());
  socket.resume();
  expect(await ended).toBeLessThan(100);
});

test('a client that closes its sending half does not keep its source open', async () => {
  const { port, ended } = await serve(1000);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  socket.resume();
  expect(await ended).toBeLessThanOrEqual(1000);
});
