import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Starts a TypeScript program that prints its port as its first line. */
export async function startPeer(
  file: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ port: number; child: ChildProcess }> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${file} ended before it was ready`);
  });
  const ready = once(child.stdout as NodeJS.ReadableStream, 'data');
  const [line] = (await Promise.race([ready, ended])) as [Buffer];
  ended.catch(() => {}); // it ends some time
  return { port: Number(line.toString().trim()), child };
}

/** Ends a child that we started and waits until it is gone. */
export async function stopPeer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Resident memory of a process in MB (10^6 bytes). */
export function residentMb(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

/** Samples a process's resident memory until stopped; `stop` returns the peak's growth over the start, in MB. */
export function watchMemory(pid: number): { stop(): number } {
  const startMb = residentMb(pid);
  let peakMb = startMb;
  const timer = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb(pid));
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(peakMb, residentMb(pid)) - startMb;
    },
  };
}

/** Runs a command to its end and returns the seconds it took. Throws with its output when it fails. */
export async function timed(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (d: Buffer) => (output += d));
  child.stderr.on('data', (d: Buffer) => (output += d));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-3000)}`);
  return (performance.now() - startedMs) / 1000;
}

/** Seconds of processor time that a process with all its threads has used so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
