import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from './lock.mjs';
import { openLogFile } from './log-file.ts';
import { environmentWith } from './run.mjs';
import { red, say, shorten, yellow } from './terminal.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Having lived this long, a program that dies is started again at once. */
const SETTLED_MS = 60_000;

export interface Program {
  /** Shown before its lines. */
  name: string;
  args: string[];
  env: Record<string, string>;
  /** Answers 200 when the program is ready. */
  healthUrl: string;
  logFile: string;
  /** How long it may take to end after SIGTERM. */
  graceMs: number;
}

export interface Supervised {
  name: string;
  /** Resolves when it is healthy for the first time; rejects with its last lines when it ends before. */
  ready: Promise<void>;
  /** pid and start time of what runs now. */
  identity(): string | null;
  /** SIGTERM, then SIGKILL after graceMs. No restart follows. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

/**
 * Keeps a program running until `stop`: one that dies after it was ready is started again, after a pause that
 * doubles with each early death. One that never becomes ready is not tried twice: its error is the answer.
 */
export function supervise(program: Program, onChange: () => void = () => {}): Supervised {
  const log = openLogFile(program.logFile);
  let child: ChildProcess | null = null;
  const life = { ready: Promise.withResolvers<void>(), wasReady: false, stopping: false };
  life.ready.promise.catch(() => {}); // reported where it is awaited

  const run = async (): Promise<void> => {
    for (let pause = FIRST_PAUSE_MS; !life.stopping; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const startedAt = Date.now();
      const running = launch(program, log);
      child = running.process;
      onChange();
      void healthy(program, running).then((ok) => {
        if (!ok) return;
        if (life.wasReady) say(`${program.name} is back`);
        life.wasReady = true;
        life.ready.resolve();
      });
      const ending = await running.exited;
      child = null;
      onChange();
      if (life.stopping) return;
      if (!life.wasReady)
        return life.ready.reject(new Error(`${program.name} ended (${ending}):\n${running.tail.join('\n')}`));
      if (Date.now() - startedAt > SETTLED_MS) pause = FIRST_PAUSE_MS;
      say(red(`${program.name} ended (${ending}); starting it again in ${pause / 1000} s`));
      await sleep(pause, undefined, { ref: false });
    }
  };
  const finished = run();

  return {
    name: program.name,
    ready: life.ready.promise,
    identity: () => (child?.pid ? identityOf(child.pid) : null),
    stop: async () => {
      life.stopping = true;
      if (!child) return;
      child.kill('SIGTERM');
      const force = setTimeout(() => {
        say(yellow(`${program.name} does not stop; ending it`));
        child?.kill('SIGKILL');
      }, program.graceMs);
      await finished;
      clearTimeout(force);
    },
    kill: () => {
      life.stopping = true;
      child?.kill('SIGKILL');
    },
  };
}

interface Running {
  process: ChildProcess;
  exited: Promise<string>;
  /** Its last lines. */
  tail: string[];
}

/** In a process group of its own: Ctrl-C in the terminal reaches the launcher alone, which knows the order. */
function launch(program: Program, log: (line: string) => void): Running {
  const child = spawn(process.execPath, ['--import', './bin/launcher/tether.mjs', ...program.args], {
    env: { ...environmentWith(process.execPath), ...program.env } as unknown as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr] as Readable[])
    createInterface({ input: stream }).on('line', (line) => {
      log(line);
      tail.push(line);
      if (tail.length > 30) tail.shift();
      const short = shorten(program.name, line, stream === child.stderr);
      if (short) say(short);
    });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { process: child, exited, tail };
}

async function healthy(program: Program, running: Running): Promise<boolean> {
  while (running.process.exitCode === null && running.process.signalCode === null) {
    const answer = await fetch(program.healthUrl, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
    await answer?.arrayBuffer().catch(() => {});
    if (answer?.status === 200) return true;
    await sleep(50);
  }
  return false;
}
