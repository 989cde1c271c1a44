import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

/** A process that is alive says so more often than this. */
const STALE_MS = 10 * 60 * 1000;
const BEAT_MS = 60 * 1000;

/** `<host>.<pid>.<random>`: no two processes make the same. */
const ownName = () =>
  `${hostname().replaceAll(/[^\w-]/g, '-')}.${process.pid}.${randomBytes(6).toString('hex')}`;

/** Folders that this very process claimed. */
const claimed = new Set<string>();

function isDead(name: string): boolean {
  if (claimed.has(name)) return false;
  const [host, pid] = name.split('.');
  if (host !== hostname().replaceAll(/[^\w-]/g, '-')) return false;
  if (Number(pid) === process.pid) return true; // an earlier process had our number
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Removes folders of processes that are gone: at once those of this machine, others after ten minutes of silence. */
async function sweep(root: string, own: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name === own) continue;
    const path = join(root, name);
    const seenMs = (await stat(path).catch(() => null))?.mtimeMs ?? Date.now();
    if (isDead(name) || Date.now() - seenMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

/**
 * Makes a folder below `root` that is this process's alone, and removes what dead processes left there, however they
 * ended. Touched every minute, so that processes of other machines on the same volume see that it is in use.
 */
export async function claimFolder(root: string): Promise<string> {
  const name = ownName();
  const own = join(resolve(root), name);
  claimed.add(name);
  await mkdir(own, { recursive: true, mode: 0o700 });
  const beat = async () => {
    const now = new Date();
    await utimes(own, now, now);
    await sweep(root, name);
  };
  await sweep(root, name);
  setInterval(() => void beat().catch(() => {}), BEAT_MS).unref();
  return own;
}
