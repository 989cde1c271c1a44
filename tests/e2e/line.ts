import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A network line between a browser and a hub that a test can slow, cut and mend; it counts what browsers send. */
export interface Line {
  readonly url: string;
  /** Bytes that reached the hub's side of the line, headers included. */
  sentBytes(): number;
  /** At most so many bytes a second towards the hub; 0 for no limit. */
  limit(bytesPerSecond: number): void;
  /** Breaks every connection and takes no new one. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  close(): Promise<void>;
}

const TICK_MS = 20;

/** Lays a line to the hub at `target`; its address stays the same when it is mended. */
export async function layLine(target: string): Promise<Line> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let [sent, rate, allowed] = [0, 0, 0];
  const waiting = new Set<Socket>();
  const tick = setInterval(() => {
    allowed = Math.min(allowed, 0) + (rate * TICK_MS) / 1000;
    for (const socket of waiting) socket.resume();
    waiting.clear();
  }, TICK_MS);
  let server: Server | null = null;
  let listensOn = 0;
  const accept = (client: Socket) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      sent += chunk.length;
      allowed -= chunk.length;
      if (rate === 0 || allowed > 0) return;
      client.pause();
      waiting.add(client);
    });
    upstream.on('close', () => client.destroySoon());
    client.on('close', () => upstream.destroy());
    client.pipe(upstream);
    upstream.pipe(client);
  };
  const mend = async () => {
    server ??= createServer(accept);
    const listening = server;
    await new Promise<void>((done) => listening.listen(listensOn, '127.0.0.1', done));
    listensOn = (listening.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closing = server;
    server = null;
    for (const socket of sockets) socket.destroy();
    if (closing) await new Promise((done) => closing.close(done));
  };
  await mend();
  return {
    url: `http://127.0.0.1:${listensOn}`,
    sentBytes: () => sent,
    limit: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    cut,
    mend,
    async close() {
      clearInterval(tick);
      await cut();
    },
  };
}
