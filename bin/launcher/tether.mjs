// Preloaded into every process that the launcher (or a test) starts. When the parent ends, however it ends, the
// channel between the two closes, and the child sends itself the SIGTERM that the parent no longer can.
// A child's own forks inherit this preload; their channels are not ours to touch.
if (process.channel && process.env.LARDER_TETHER === String(process.ppid)) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
