import { createServer } from 'node:http';
import { createDb } from '#lib/base/db.ts';

/**
 * The peer of the resolve bench: a bare Node handler that answers HEAD after one indexed query through the same
 * pool settings. Prints its port.
 */
const db = createDb({
  url: process.env.DATABASE_URL ?? '',
  maxConnections: 20,
  applicationName: 'bench-bare',
});
const server = createServer((_req, res) => {
  db.query({ name: 'bare', text: 'select id, name, visibility from repo where id = $1', values: [1] }).then(
    ({ rows }) => {
      res.writeHead(200, { 'content-length': 7, etag: `"${rows.length}"`, 'x-repo-commit': '0'.repeat(40) });
      res.end();
    },
    (error: Error) => res.writeHead(500).end(error.message),
  );
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
