import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT } from '#tests/support/child.ts';

export interface Launched {
  pid: number;
  /** Everything it printed so far. */
  output(): string;
  /** Resolves when it printed that the hub is ready; rejects with its output when it ends before. */
  ready: Promise<void>;
  exited: Promise<number | string>;
  /** As Ctrl-C does. Resolves with the exit code. */
  interrupt(): Promise<number | string>;
  /** Every process below it, itself first. */
  family(): number[];
}

/** Runs `node bin/larder.mjs …` as a user would, without the test run's own database and settings. */
export function launch(
  args: string[],
  options: {
    env?: Record<string, string>;
    prefix?: string[];
    /** Instead of this process's Node on the launcher of this checkout. */
    command?: string[];
    cwd?: string;
    uid?: number;
    gid?: number;
  } = {},
): Launched {
  const { LARDER_TEST_POSTGRES: _, ...env } = process.env;
  const launcher = options.command ?? [process.execPath, 'bin/larder.mjs'];
  const [command = '', ...rest] = [...(options.prefix ?? []), ...launcher, ...args];
  const child = spawn(command, rest, {
    cwd: options.cwd ?? PROJECT,
    env: { ...env, NO_COLOR: '1', HOST: '127.0.0.1', ...options.env } as unknown as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid ?? options.uid }),
  });
  let text = '';
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        if (text.includes('Larder is ready') && text.includes('Ctrl-C')) resolve();
      });
    void exited.then((code) => reject(new Error(`ended (${code}) before it was ready:\n${text}`)));
  });
  ready.catch(() => {});
  const pid = child.pid ?? -1;
  return {
    pid,
    output: () => text,
    ready,
    exited,
    interrupt: () => {
      child.kill('SIGINT');
      return exited;
    },
    family: () => [pid, ...descendants(pid)],
  };
}

/** Children, grandchildren and so on. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (stat) parents.set(Number(name), Number(stat[1]));
  }
  const found = new Set([root]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return [...found];
}

/** State, parent, … or null when there is no such process. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Those of the processes that still run (a zombie does not). */
export function alive(pids: number[]): number[] {
  return pids.filter((pid) => {
    const stat = statOf(pid);
    return stat !== null && stat[0] !== 'Z';
  });
}

/** Number of the process in `pids` whose command line holds `text`. */
export function processOf(pids: number[], text: string): number {
  const pid = pids.find((each) => commandOf(each).includes(text));
  if (pid === undefined) throw new Error(`no process "${text}" among ${pids.map(commandOf).join('\n')}`);
  return pid;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Waits until `condition` holds; throws `message` after `timeoutMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  message: string,
  timeoutMs = 60_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(100))
    if (await condition()) return;
  throw new Error(message);
}
