import { type Tx, transaction } from '#lib/base/db.ts';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { RefSnapshot } from '../bare/ref-snapshot.ts';
import { selectRefs } from '../db.ts';
import { moveRef } from '../move-ref.ts';
import { requireWhole } from '../require-whole.ts';
import { reserveRefName } from '../reserve-ref-name.ts';
import type { Repo } from '../types.ts';
import type { RefCommand } from './types.ts';

/** One ref of a push was refused; the transaction that holds it is rolled back. */
class RefRefused extends Error {
  readonly ref: string;

  constructor(ref: string, reason: string) {
    super(reason);
    this.ref = ref;
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

function movedMeanwhile({ oldOid }: RefCommand, now: Oid | null): string {
  if (oldOid === null) return 'already exists; fetch first';
  return now === null
    ? 'does not exist any more; fetch first'
    : 'somebody pushed in the meantime; fetch first';
}

/** Locks all refs of the push in one order, so that two pushes of the same refs never lock each other out. */
async function lockRefs(tx: Tx, repo: Repo, commands: readonly RefCommand[]): Promise<Map<string, Oid>> {
  const { rows } = await tx.query<{ name: string; oid: Buffer }>(
    'SELECT name, oid FROM ref WHERE repo_id = $1 AND name = ANY($2::text[]) ORDER BY name FOR UPDATE',
    [repo.id, commands.map(({ ref }) => ref)],
  );
  return new Map(rows.map((row) => [row.name, hexOf<Oid>(row.oid)]));
}

/** Whether some ref that the push's checks relied on has gone or left history behind. */
async function hasLostTips(tx: Tx, repo: Repo, snapshot: RefSnapshot): Promise<boolean> {
  const { rows } = await tx.query<{ oid: Buffer }>('SELECT oid FROM ref WHERE repo_id = $1', [repo.id]);
  const now = new Set(rows.map((row) => hexOf<Oid>(row.oid)));
  return snapshot.refs.some(({ oid }) => !now.has(oid));
}

export interface RefMoves {
  readonly repo: Repo;
  readonly commands: readonly RefCommand[];
  readonly forced: ReadonlySet<string>;
  readonly snapshot: RefSnapshot;
  /** Writes what the refs will reach, in the same transaction. */
  readonly write: (tx: Tx) => Promise<void>;
}

async function moveOne(tx: Tx, ctx: Ctx, moves: RefMoves, command: RefCommand): Promise<void> {
  const { ref, oldOid, newOid } = command;
  const { repo } = moves;
  const isForced = newOid === null || moves.forced.has(ref);
  try {
    if (oldOid === null) await reserveRefName(tx, repo, ref);
    const reason = newOid === null ? 'delete' : 'push';
    if (!(await moveRef(tx, ctx, { repo, ref, oldOid, newOid, reason, isForced })))
      throw new RefRefused(ref, movedMeanwhile(command, null));
  } catch (error) {
    if (isHubError(error) && error.code !== 'repo_not_found') throw new RefRefused(ref, error.message);
    throw error;
  }
}

/**
 * Inside one transaction: all these refs, or none; one that is where it should go stays. Throws RefRefused for the
 * first that cannot move.
 */
async function moveInside(tx: Tx, ctx: Ctx, moves: RefMoves): Promise<void> {
  const { repo, commands, snapshot } = moves;
  const now = await lockRefs(tx, repo, commands);
  const going: RefCommand[] = [];
  for (const command of commands) {
    const at = now.get(command.ref) ?? null;
    // Where the push wants it already: libcurl sends a request again, unasked, when its connection dies unanswered.
    if (at === command.newOid) continue;
    if (at !== command.oldOid) throw new RefRefused(command.ref, movedMeanwhile(command, at));
    going.push(command);
  }
  await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR UPDATE', [repo.id]);
  await moves.write(tx);
  const lost = await hasLostTips(tx, repo, snapshot);
  for (const command of going.sort((a, b) => (a.ref < b.ref ? -1 : 1))) {
    await moveOne(tx, ctx, moves, command);
    await failpoint('push.between-refs');
    if (lost && command.newOid !== null && command.ref.startsWith('refs/heads/'))
      await requireWhole(tx, repo.id, command.newOid);
  }
}

/** Whether the refs are where this push wanted them: COMMIT may have taken effect although its answer was lost. */
async function haveMoved(ctx: Ctx, { repo, commands }: RefMoves): Promise<boolean> {
  const names = commands.map(({ ref }) => ref);
  const rows = await selectRefs(ctx.db, repo.id, names).catch(() => null);
  if (rows === null) return false;
  const now = new Map(rows.map((row) => [row.name, row.oid]));
  return commands.every(({ ref, newOid }) => (now.get(ref) ?? null) === newOid);
}

/**
 * Moves these refs in one transaction. Returns why they stayed, by ref: empty when all have moved. Throws when the
 * database fails and the refs are not where they should be.
 */
export async function moveTogether(ctx: Ctx, moves: RefMoves): Promise<Map<string, string>> {
  try {
    await transaction(ctx.db, (tx) => moveInside(tx, ctx, moves));
    return new Map();
  } catch (error) {
    if (error instanceof RefRefused)
      return new Map(
        moves.commands.map(({ ref }) => [
          ref,
          ref === error.ref ? error.message : 'nothing of this atomic push was done, because of another ref',
        ]),
      );
    // a refusal is of these refs alone: others of the push may have moved already
    if (isHubError(error) && error.status < 500 && error.code !== 'repo_not_found')
      return new Map(moves.commands.map(({ ref }) => [ref, error.message]));
    const full = asStorageFull(error);
    if (full) return new Map(moves.commands.map(({ ref }) => [ref, full.message]));
    if (isHubError(error)) throw error;
    const { code } = error as { code?: string };
    if (code === LOCK_NOT_AVAILABLE || code === DEADLOCK)
      return new Map(moves.commands.map(({ ref }) => [ref, 'others are writing to this ref; try again']));
    if (await haveMoved(ctx, moves)) return new Map();
    throw error;
  }
}
