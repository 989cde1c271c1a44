import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { environmentForOthers } from '#lib/base/config.ts';
import { hubError } from '#lib/base/errors.ts';
import { gitIsMissing } from './require-git.ts';

export interface GitRun {
  readonly args: readonly string[];
  /** The bare repo it works on. */
  readonly gitDir: string;
  /** Where objects are read and written, when it is not the repo's own folder. */
  readonly objects?: string | undefined;
  /** A folder of objects that may be read too. */
  readonly alternates?: string | undefined;
  /** Value of GIT_PROTOCOL, as the client's header has it. */
  readonly protocol?: string | undefined;
  readonly signal: AbortSignal;
  /** Allowed exit statuses; 0 when absent. */
  readonly allowed?: readonly number[] | undefined;
}

/** A child that hangs is ended after this; a large clone over a slow line is not one. */
const TIMEOUT_MS = 60 * 60 * 1000;
const MAX_STDERR = 8 * 1024;
/** Address space and processor time of one git process: what a hostile pack can cost at most. */
const MAX_MEMORY_KIB = 3 * 1024 * 1024;
const MAX_CPU_SECONDS = 900;
/** sh sets the limits and becomes git; macOS knows no limit of address space. */
const LIMITED = 'ulimit -v "$1" 2>/dev/null; ulimit -t "$2"; shift 2; exec git "$@"';

/** No file of a user's, of the machine's or of the repo's decides what git does. */
const SETTINGS = [
  'core.hooksPath=/dev/null',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.fsmonitor=false',
  'core.alternateRefsCommand=',
  'core.packedGitWindowSize=32m',
  'core.packedGitLimit=512m',
  'core.bigFileThreshold=16m',
  'gc.auto=0',
  'maintenance.auto=false',
  'protocol.allow=never',
  'safe.directory=*',
  'pack.threads=2',
  'pack.windowMemory=64m',
];

function environmentOf(run: GitRun): NodeJS.ProcessEnv {
  return {
    ...environmentForOthers(),
    LC_ALL: 'C',
    HOME: run.gitDir,
    GIT_DIR: run.gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    ...(run.objects !== undefined && { GIT_OBJECT_DIRECTORY: run.objects }),
    ...(run.alternates !== undefined && { GIT_ALTERNATE_OBJECT_DIRECTORIES: run.alternates }),
    ...(run.protocol !== undefined && { GIT_PROTOCOL: run.protocol }),
  };
}

/** git ended with an error. `stderr` is what it said, without the machine's paths. */
export class GitFailure extends Error {
  readonly stderr: string;
  readonly status: number | null;

  constructor(run: GitRun, status: number | null, stderr: string) {
    super(`git ${run.args[0]} ended with ${status}: ${stderr}`);
    this.status = status;
    this.stderr = stderr.replaceAll(run.gitDir, '');
  }
}

function diskIsFull(): Error {
  return hubError(
    'storage_full',
    'the hub has no room left for the work of git: nothing was stored. Tell its operator',
  );
}

export interface GitChild {
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  readonly stdout: Readable;
  /** Resolves when git has ended well, rejects with GitFailure, the signal's reason or not_implemented (no git). */
  readonly done: Promise<void>;
}

/** Starts git in a process group of its own, which ends with the signal or after an hour. */
export function startGit(run: GitRun): GitChild {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting]);
  const limits = [String(MAX_MEMORY_KIB), String(MAX_CPU_SECONDS)];
  const child = spawn('/bin/sh', ['-c', LIMITED, 'sh', ...limits, ...settings, ...run.args], {
    cwd: run.gitDir,
    env: environmentOf(run),
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR);
  });
  child.stdin.on('error', () => {}); // git may end before it has read everything; its status tells
  const end = () => {
    try {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  };
  const timer = setTimeout(end, TIMEOUT_MS).unref();
  run.signal.addEventListener('abort', end);
  if (run.signal.aborted) end();
  const finish = async (): Promise<void> => {
    try {
      const [status] = (await once(child, 'close')) as [number | null];
      if (run.signal.aborted) throw run.signal.reason;
      if (status === 126 || status === 127) throw gitIsMissing(stderr); // not to be executed, not found
      if ((run.allowed ?? [0]).includes(status as number)) return;
      if (/No space left on device|Disk quota exceeded/i.test(stderr)) throw diskIsFull();
      throw new GitFailure(run, status, stderr.trim());
    } finally {
      clearTimeout(timer);
      run.signal.removeEventListener('abort', end);
    }
  };
  const done = finish();
  done.catch(() => {}); // whoever does not wait for the end is not harmed by it
  return { stdin: child.stdin, stdout: child.stdout, done };
}

/** Runs git to its end and returns what it wrote. Throws as GitChild.done; RangeError beyond `maxBytes`. */
export async function runGit(
  run: GitRun,
  input: Iterable<string | Buffer> | AsyncIterable<Buffer> = [],
  maxBytes = 64 * 1024 * 1024,
): Promise<Buffer> {
  const child = startGit(run);
  const feeding = pipeline(Readable.from(input, { objectMode: false }), child.stdin).catch(() => {});
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    total += part.length;
    if (total > maxBytes) throw new RangeError(`git ${run.args[0]} wrote more than ${maxBytes} bytes`);
    parts.push(part);
  }
  await Promise.all([feeding, child.done]);
  return Buffer.concat(parts, total);
}
