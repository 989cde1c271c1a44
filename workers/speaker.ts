const SAY_EVERY_MS = 5_000;

/** Says on stderr how far a long command has come: the latest text, every few seconds. */
export function speaker(): (text: string) => void {
  const startedAt = Date.now();
  let saidAt = startedAt;
  return (text) => {
    if (Date.now() - saidAt < SAY_EVERY_MS) return;
    saidAt = Date.now();
    process.stderr.write(`${text} in ${Math.round((saidAt - startedAt) / 1000)} s\n`);
  };
}
