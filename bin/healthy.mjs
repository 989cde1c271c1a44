// Ends with 0 when the program on this machine answers /healthz on the port that the named variable holds:
//   node bin/healthy.mjs PORT · node bin/healthy.mjs LARDER_WORKER_HEALTH_PORT
const port = process.env[process.argv[2] ?? 'PORT'];
try {
  const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5_000) });
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
} catch (error) {
  process.stderr.write(`not healthy: ${error.message}\n`);
  process.exitCode = 1;
}
