import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** What is done to the bytes that travel in one direction. Counted from when the fault was set. */
export type Fault =
  | { readonly kind: 'pass' }
  /** Every piece is late by so much. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** After so many bytes both ends are closed, in order. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** After so many bytes both ends get a reset. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Connections stay open and nothing arrives any more. */
  | { readonly kind: 'black-hole' }
  | { readonly kind: 'rate'; readonly bytesPerSecond: number };

export interface FaultProxy {
  readonly url: string;
  readonly port: number;
  /** Sets what happens to bytes to the server (`up`) and to clients (`down`), of open and of new connections. */
  set(faults: { up?: Fault; down?: Fault }): void;
  /** Refuses new connections and resets open ones, until `heal`. */
  down(): void;
  heal(): void;
  close(): Promise<void>;
}

const PASS: Fault = { kind: 'pass' };

/** Bytes of one direction of one connection, under the fault of the moment. */
function faulty(current: () => Fault, end: (reset: boolean) => void): Transform {
  let last: Fault = PASS;
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const fault = current();
      if (fault !== last) [last, bytes] = [fault, 0];
      bytes += chunk.length;
      if (fault.kind === 'black-hole') return; // `done` is never called: backpressure holds the sender
      if (fault.kind === 'delay') setTimeout(done, fault.ms, null, chunk);
      else if (fault.kind === 'rate')
        setTimeout(done, (chunk.length / fault.bytesPerSecond) * 1000, null, chunk);
      else if ((fault.kind === 'cut' || fault.kind === 'reset') && bytes > fault.afterBytes) {
        this.push(chunk.subarray(0, Math.max(0, chunk.length - (bytes - fault.afterBytes))));
        setImmediate(end, fault.kind === 'reset');
      } else done(null, chunk);
    },
  });
}

/** A TCP relay in front of Postgres, a store or an engine that can be told to misbehave, each direction by itself. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  let [up, down, isDown]: [Fault, Fault, boolean] = [PASS, PASS, false];
  const server = createServer((client) => {
    if (isDown) return void client.resetAndDestroy();
    const upstream = connect(Number(targetPort), hostname);
    const end = (reset: boolean) => {
      for (const socket of [client, upstream]) {
        if (reset) socket.resetAndDestroy();
        else socket.end();
      }
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      socket.on('error', () => {});
    }
    client.pipe(faulty(() => up, end)).pipe(upstream);
    upstream.pipe(faulty(() => down, end)).pipe(client);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const dropAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    set: (faults) => {
      up = faults.up ?? PASS;
      down = faults.down ?? PASS;
    },
    down: () => {
      isDown = true;
      dropAll();
    },
    heal: () => {
      [up, down, isDown] = [PASS, PASS, false];
    },
    async close() {
      dropAll();
      await new Promise((closed) => server.close(closed));
    },
  };
}
