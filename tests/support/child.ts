import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A program of ours running as a child: its output is kept for the message of a failing test. */
export interface Child {
  readonly pid: number;
  /** What it wrote so far, both streams; the oldest is dropped beyond a megabyte. */
  logs(): string;
  /** Resolves with the exit code, or the signal's name, when it has ended. */
  readonly exited: Promise<number | string>;
  /** Sends the signal (SIGTERM by default) and waits for the end; SIGKILL after `graceMs`. Idempotent. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<number | string>;
}

const KEEP = 1_000_000;

/** Runs `node <args>` in the project's root (or `cwd`), tethered: it ends by itself when the test process dies. */
export function startChild(
  args: string[],
  env: Record<string, string | undefined>,
  cwd: string = PROJECT,
): Child {
  const child = spawn(process.execPath, ['--import', './bin/launcher/tether.mjs', ...args], {
    cwd,
    env: { ...process.env, LARDER_TETHER: String(process.pid), ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let text = '';
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-KEEP);
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  const exited = exitOf(child);
  return { pid: child.pid ?? -1, logs: () => text, exited, stop: stopper(child, exited) };
}

function exitOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
}

function stopper(child: ChildProcess, exited: Promise<number | string>): Child['stop'] {
  return async (signal = 'SIGTERM', graceMs = 20_000) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
    const result = await exited;
    clearTimeout(force);
    return result;
  };
}

/** Polls `url` until it answers 200. Throws with the child's output when it ends or 60 s pass. */
export async function waitUntilHealthy(child: Child, url: string): Promise<void> {
  let ended: number | string | undefined;
  void child.exited.then((code) => {
    ended = code;
  });
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    if (ended !== undefined)
      throw new Error(`process ended (${ended}) before it was ready:\n${child.logs()}`);
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} did not become healthy in 60 s:\n${child.logs()}`);
}
