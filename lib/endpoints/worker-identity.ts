import { randomBytes } from 'node:crypto';
import { bornAt } from './drivers/processes.ts';

/** The name under which this process holds leases: where it runs, which process it is, and in which life. */
export async function nameWorker(node: string): Promise<string> {
  return [node, process.pid, (await bornAt(process.pid)) ?? '', randomBytes(4).toString('hex')].join('|');
}

/**
 * True when `owner` was a process of this node that is surely gone: its leases need not expire first. False for
 * workers of other nodes, which cannot be seen from here.
 */
export async function isDeadHere(owner: string, node: string): Promise<boolean> {
  const [where, pid, born] = owner.split('|');
  if (where !== node || !pid || !born) return false;
  return (await bornAt(Number(pid))) !== born;
}
