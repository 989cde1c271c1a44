import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process, told from a later one that got the same pid by when it was born. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Kernel start time: ticks since boot on Linux, a date elsewhere. */
  readonly born: string;
}

const run = promisify(execFile);
const isLinux = process.platform === 'linux';

/** When the process with this pid was born, or null when there is none (a zombie is none). */
export async function bornAt(pid: number): Promise<string | null> {
  try {
    if (isLinux) return bornInStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    const { stdout } = await run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state, ...date] = stdout.trim().split(/\s+/);
    return !state || state.startsWith('Z') ? null : date.join(' ');
  } catch {
    return null;
  }
}

/** Fields of proc(5) stat: the name in parentheses may hold anything, so count from its end. */
function bornInStat(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

/** Living processes whose arguments contain all of `marks`, with their arguments. */
export async function findByArguments(
  marks: readonly string[],
): Promise<(ProcessIdentity & { args: string[] })[]> {
  const candidates = isLinux ? await listProc() : await listPs();
  const found = candidates.filter(({ args }) => marks.every((mark) => args.includes(mark)));
  const identified = await Promise.all(found.map(async (p) => ({ ...p, born: await bornAt(p.pid) })));
  return identified.flatMap((p) => (p.born === null ? [] : [{ ...p, born: p.born }]));
}

async function listProc(): Promise<{ pid: number; args: string[] }[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), args: line.split('\0') };
    }),
  );
  return all;
}

async function listPs(): Promise<{ pid: number; args: string[] }[]> {
  const { stdout } = await run('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 16 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), args: (match[2] ?? '').split(' ') }] : [];
  });
}

/** Sends a signal to the process group led by `pid`; a group that is gone is not an error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
