import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Postgres refuses to run as root, so root hands it to this account. */
export interface Account {
  uid: number;
  gid: number;
}

/** Who must run Postgres: null when we are an ordinary user ourselves. As root the account is made when missing. */
export function postgresAccount(): Account | null {
  if (process.getuid?.() !== 0) return null;
  const account = lookUp('postgres') ?? (addUser('postgres') ? lookUp('postgres') : null) ?? lookUp('nobody');
  if (account) return account;
  throw new Error('Postgres refuses to run as root and no other account could be made: run as a normal user');
}

function lookUp(name: string): Account | null {
  const id = (flag: string) =>
    Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return null; // no such account
  }
}

function addUser(name: string): boolean {
  const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
  return spawnSync('useradd', [...flags, name], { stdio: 'ignore' }).status === 0;
}

/** Whether `account` may pass through every folder above `path` and read `path` itself. */
export function canReach(account: Account, path: string): boolean {
  if (!permits(account, path, 0o5)) return false;
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    if (!permits(account, folder, 0o1)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function permits({ uid, gid }: Account, path: string, bits: number): boolean {
  const stat = statSync(path);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & bits) === bits;
}

/** Gives a folder and all in it to `account`; does nothing when its top is the account's already. */
export function giveTo(account: Account, folder: string): void {
  if (statSync(folder).uid === account.uid) return;
  for (const name of readdirSync(folder)) giveTree(account, join(folder, name));
  chownSync(folder, account.uid, account.gid); // last: a kill before this line repeats the walk
}

function giveTree(account: Account, path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  if (stat.isDirectory()) for (const name of readdirSync(path)) giveTree(account, join(path, name));
  chownSync(path, account.uid, account.gid);
}

/**
 * A command that runs as `account` but may still pass through folders closed to it: for a data folder below a
 * home of mode 700 when root starts the hub. Null where the system does not allow that.
 */
export function reachingThrough(account: Account, probe: string): string[] | null {
  const prefix = [
    'setpriv',
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    '--clear-groups',
    '--inh-caps=+dac_read_search',
    '--ambient-caps=+dac_read_search',
  ];
  const [command = '', ...flags] = prefix;
  return spawnSync(command, [...flags, 'test', '-x', probe], { stdio: 'ignore' }).status === 0
    ? prefix
    : null;
}
