import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf } from './lock.mjs';

const GRACE_MS = 15_000;

/** Notes which processes are ours, so that the next start can end them should we be killed. */
export function noteChildren(file: string, identities: readonly (string | null)[]): void {
  writeFileSync(`${file}.draft`, JSON.stringify(identities.filter((identity) => identity !== null)));
  renameSync(`${file}.draft`, file);
}

/** Those processes of an earlier, killed launcher that still run. A number that now belongs to another program does not count. */
export function leftovers(file: string): number[] {
  if (!existsSync(file)) return [];
  const identities = JSON.parse(readFileSync(file, 'utf8')) as string[];
  return identities
    .map((identity) => [identity, Number(identity.split(' ')[0])] as const)
    .filter(([identity, pid]) => identityOf(pid) === identity)
    .map(([, pid]) => pid);
}

/** Ends them, in order if they let us. */
export async function endLeftovers(file: string): Promise<void> {
  for (const pid of leftovers(file)) signal(pid, 'SIGTERM');
  for (const deadline = Date.now() + GRACE_MS; leftovers(file).length > 0 && Date.now() < deadline; )
    await sleep(50);
  for (const pid of leftovers(file)) signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it ended by itself (it is tethered to its parent)
  }
}
