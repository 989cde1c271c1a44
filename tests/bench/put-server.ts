import { createServer } from 'node:http';
import { loadConfig } from '#lib/base/config.ts';
import { createStore } from '#lib/storage/create-store.ts';

/** The peer of the upload bench: a plain HTTP PUT straight into the same kind of store, S3 when it is configured. Prints its port. */
const store = await createStore(
  loadConfig({
    DATABASE_URL: 'postgres://nobody@localhost/none',
    ...process.env,
    LARDER_DATA: process.argv[2],
  }),
);
let n = 0;
const server = createServer((req, res) => {
  const key = `bench/${n++}`;
  store.put(key, req, { sizeBytes: Number(req.headers['content-length']) }).then(
    () => {
      res.writeHead(200).end();
      void store.delete([key]); // the disk is not the measure
    },
    (error: Error) => res.writeHead(500).end(error.message),
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
