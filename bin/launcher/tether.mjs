// Preloaded into every process that the launcher (or a test) starts. When the parent ends, however it ends, the
// channel between the two closes, and the child sends itself the SIGTERM that the parent no longer can.
if (process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
