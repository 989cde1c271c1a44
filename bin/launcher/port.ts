import { createServer } from 'node:net';

/** Why we cannot listen there, with the way out; null when we can. */
export function portTrouble(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(explain(error, host, port)));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `port ${port} is in use by another program: end it, or start with another port: npm start -- --port ${port + 1000}`;
  if (error.code === 'EACCES')
    return `you may not listen on port ${port}: take one above 1023: npm start -- --port 3000`;
  return `cannot listen on ${host}:${port}: ${error.message}`;
}
