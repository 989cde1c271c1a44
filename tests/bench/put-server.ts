import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Readable } from 'node:stream';
import { loadConfig } from '#lib/base/config.ts';
import { expectBuffers } from '#lib/base/free-buffers.ts';
import { hashedBody } from '#lib/repos/files/lfs/check-bytes.ts';
import { createStore } from '#lib/storage/create-store.ts';

/**
 * The peer of the upload bench: a plain HTTP PUT straight into the same kind of store, S3 when it is configured. A PUT to
 * /hashed takes the SHA-256 on the way, as everybody must who knows what he stored; a GET is a page that can choose a
 * file. DELETE answers when what was put is gone again: the disk is not to do it in somebody else's time. Prints its port.
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
  if (req.method === 'GET') return void res.setHeader('content-type', 'text/html').end('<input type="file">');
  const hash = createHash('sha256');
  const sizeBytes = Number(req.headers['content-length']);
  const put = (body: Readable) => store.put(`bench/${n++}`, body, { sizeBytes, mayFree: true });
  const done =
    req.method === 'DELETE'
      ? store.delete(Array.from({ length: n }, (_, i) => `bench/${i}`))
      : req.url === '/hashed'
        ? hashedBody(req, sizeBytes, hash, put)
        : put(req);
  done.then(
    () => res.writeHead(200).end(hash.digest('hex')),
    (error: Error) => res.writeHead(500).end(error.message),
  );
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
