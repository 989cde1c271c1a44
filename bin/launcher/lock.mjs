import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Removing a dead process's lock takes microseconds; who began so long ago has died of it. */
const REMOVAL_LIMIT_MS = 5_000;

/**
 * What tells a process from a later one with the same number: its start time. Null when no such process runs
 * (or none that has not ended: a zombie does no more work).
 */
export function identityOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name may hold spaces and brackets
    return fields[0] === 'Z' ? null : `${pid} ${fields[19]}`;
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    process.kill(pid, 0);
    return `${pid} 0`; // elsewhere the number must do
  } catch (error) {
    return error.code === 'EPERM' ? `${pid} 0` : null;
  }
}

/** Takes the lock and returns true, or false while another living process holds it. Locks of dead processes are taken over. */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, identityOf(process.pid));
  try {
    for (;;) {
      try {
        linkSync(draft, file); // whole or not at all, and only for one of us
        return true;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      if (holderOf(file) !== null) return false;
      removeDead(file);
    }
  } finally {
    unlinkSync(draft);
  }
}

/**
 * Removes the lock of a dead process, one remover at a time: two that saw the same dead lock must not remove the
 * living one that the faster of them put in its place.
 */
function removeDead(file) {
  const guard = `${file}.removal`;
  try {
    mkdirSync(guard);
  } catch {
    const age = Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > REMOVAL_LIMIT_MS) rmSync(guard, { recursive: true, force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); // another removes it: look again
    return;
  }
  if (holderOf(file) === null) rmSync(file, { force: true });
  rmSync(guard, { recursive: true, force: true });
}

/** Process number of the living holder, or null. */
export function holderOf(file) {
  try {
    const identity = readFileSync(file, 'utf8').trim();
    const pid = Number(identity.split(' ')[0]);
    return identityOf(pid) === identity ? pid : null;
  } catch {
    return null; // released in between
  }
}

/** Gives a lock back if it is ours. */
export function unlock(file) {
  if (holderOf(file) === process.pid) rmSync(file, { force: true });
}

/** Runs `work` while holding the lock; waits as long as another living process holds it. */
export async function withLock(file, work) {
  while (!tryLock(file)) await new Promise((resolve) => setTimeout(resolve, 250));
  try {
    return await work();
  } finally {
    unlock(file);
  }
}
