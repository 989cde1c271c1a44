import { createServer } from 'node:http';
import { loadConfig } from '#lib/base/config.ts';
import { expectBuffers } from '#lib/base/free-buffers.ts';
import { createStore } from '#lib/storage/create-store.ts';

/**
 * The peer of the upload bench: a plain HTTP PUT straight into the same kind of store, S3 when it is configured. DELETE
 * answers when what was put is gone again: the disk is not to do it in somebody else's time. Prints its port.
 */
expectBuffers();
const store = await createStore(
  loadConfig({
    DATABASE_URL: 'postgres://nobody@localhost/none',
    ...process.env,
    LARDER_DATA: process.argv[2],
  }),
);
let n = 0;
const server = createServer((req, res) => {
  const done =
    req.method === 'DELETE'
      ? store.delete(Array.from({ length: n }, (_, i) => `bench/${i}`))
      : store.put(`bench/${n++}`, req, { sizeBytes: Number(req.headers['content-length']) });
  done.then(
    () => res.writeHead(200).end(),
    (error: Error) => res.writeHead(500).end(error.message),
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
