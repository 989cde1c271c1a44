import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** What a running Postgres says about itself in its postmaster.pid. */
export interface Postmaster {
  pid: number;
  port: number;
  status: 'starting' | 'stopping' | 'ready' | 'standby' | 'unknown';
}

/** The postmaster that serves the cluster now, or null. A left-over file whose process is gone or is another program counts as null. */
export function runningPostmaster(cluster: string): Postmaster | null {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !servesCluster(pid, cluster)) return null;
  const status = (lines[7] ?? '').trim();
  return { pid, port: Number(lines[3]), status: isStatus(status) ? status : 'unknown' };
}

function isStatus(text: string): text is Postmaster['status'] {
  return text === 'starting' || text === 'stopping' || text === 'ready' || text === 'standby';
}

/** Whether a process exists, be it ours to signal or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function servesCluster(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  const command = commandLine(pid);
  return command.includes('postgres') && command.includes(realpathSync(cluster));
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  } catch {
    return ''; // it ended in between
  }
}
