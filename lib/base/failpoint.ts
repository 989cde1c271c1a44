import { existsSync } from 'node:fs';

/**
 * Named places where a fault test may kill, stall or fail the process. Without LARDER_FAILPOINTS this is one
 * property read. Format: `name=exit|throw|sleep:ms|hold:path`, comma-separated, each perhaps with `@n`: only the
 * n-th time (`hold` waits while there is a file at the path); the hit is printed to stderr, so that a test can require
 * that its point was reached.
 */
// biome-ignore format: one line reads best
const armed: Map<string, string> | null = process.env.LARDER_FAILPOINTS // the one reader of the environment besides config.ts
  ? new Map(process.env.LARDER_FAILPOINTS.split(',').map((p) => p.split('=') as [string, string]))
  : null;

const passed = new Map<string, number>();

/** Does nothing unless armed for `name`. `exit` ends the process at once as kill -9 would. */
export async function failpoint(name: string): Promise<void> {
  const armedWith = armed?.get(name);
  if (armedWith === undefined) return;
  const [action = '', nth] = armedWith.split(/@(?=\d+$)/);
  passed.set(name, (passed.get(name) ?? 0) + 1);
  if (nth !== undefined && passed.get(name) !== Number(nth)) return;
  process.stderr.write(`failpoint ${name} ${action}\n`);
  if (action === 'exit') process.kill(process.pid, 'SIGKILL');
  if (action === 'throw') throw new Error(`failpoint ${name}`);
  if (action.startsWith('sleep:'))
    await new Promise((resolve) => setTimeout(resolve, Number(action.slice(6))));
  if (action.startsWith('hold:'))
    while (existsSync(action.slice(5))) await new Promise((resolve) => setTimeout(resolve, 10));
}
