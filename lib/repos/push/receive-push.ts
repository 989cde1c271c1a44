import { type Tx, transaction } from '#lib/base/db.ts';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type BareRepo, bareCacheOf } from '../bare/bare-cache.ts';
import { gitSlots } from '../bare/git-slots.ts';
import { type RefSnapshot, readRefSnapshot } from '../bare/ref-snapshot.ts';
import { requireGit } from '../bare/require-git.ts';
import { holdFiles } from '../files/hold-files.ts';
import { requireWhole } from '../require-whole.ts';
import type { Repo, RepoRef } from '../types.ts';
import { findForced, type Refusals, refuseByCard, refuseByName, refuseByTarget } from './check-refs.ts';
import { drain } from './drain.ts';
import { type CheckedObjects, checkObjects, writeHeld, writeLarge } from './import-objects.ts';
import { moveTogether } from './move-refs.ts';
import { newOfPush } from './new-of-push.ts';
import { openQuarantine, type Quarantine } from './quarantine.ts';
import { type PushRight, requirePush } from './require-push.ts';
import type { PushReport, PushRequest, RefCommand } from './types.ts';

/** Tells the person who pushes what is going on. */
export type Say = (line: string) => void;

/** What is known of a push once its objects are checked. */
interface Checked {
  readonly snapshot: RefSnapshot;
  readonly refusals: Refusals;
  readonly forced: ReadonlySet<string>;
  readonly objects: CheckedObjects;
  /** What the push brought and its refs reach. */
  readonly received: ReadonlySet<Oid>;
}

const NOTHING: CheckedObjects = { commits: [], rows: [], encode: async function* () {}, files: [] };
const isGoing =
  (refusals: Refusals) =>
  ({ ref }: RefCommand) =>
    !refusals.has(ref);

async function checkQuarantined(
  ctx: Ctx,
  repo: Repo,
  { snapshot }: BareRepo,
  { run, reader, pack }: Quarantine,
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<Checked> {
  await refuseByTarget(reader, commands, refusals);
  const tips = commands.filter(isGoing(refusals)).flatMap(({ newOid }) => newOid ?? []);
  const known = new Set(snapshot.refs.map(({ oid }) => oid));
  const fresh = tips.filter((oid) => !known.has(oid));
  const found = pack && fresh.length > 0 ? await newOfPush(pack.sent, reader, fresh) : null;
  const objects = pack && found ? await checkObjects(ctx, repo, pack, reader, found) : NOTHING;
  const received = new Set(found?.objects.keys());
  await refuseByCard(received, reader, commands, refusals);
  const forced = await findForced(run, commands, refusals, objects.commits);
  return { snapshot, refusals, forced, objects, received };
}

/**
 * Holds the large files that a push names until the transaction ends. When one is gone, a ref that moves alone is
 * judged by what its own history names. Throws invalid_object, conflict_exists.
 */
async function holdFilesOf(
  tx: Tx,
  repo: Repo,
  group: readonly RefCommand[],
  { files }: CheckedObjects,
): Promise<void> {
  try {
    await holdFiles(tx, repo.id, files);
  } catch (error) {
    if (!isHubError(error) || group.length > 1) throw error;
    for (const { newOid } of group) if (newOid !== null) await requireWhole(tx, repo.id, newOid, files);
  }
}

/** Moves the refs that may: together when the push is atomic, else each on its own. */
async function land(
  ctx: Ctx,
  repo: Repo,
  { commands, isAtomic }: PushRequest,
  { snapshot, refusals, forced, objects }: Checked,
): Promise<void> {
  if (isAtomic && refusals.size > 0)
    for (const { ref } of commands)
      if (!refusals.has(ref))
        refusals.set(ref, 'nothing of this atomic push was done, because of another ref');
  const going = commands.filter(isGoing(refusals));
  if (going.length === 0) return;
  await failpoint('push.before-import');
  if (objects.rows === null) await writeLarge(ctx, repo.id, objects.encode());
  const groups = isAtomic || going.length === 1 ? [going] : going.map((command) => [command]);
  if (groups.length > 1) await transaction(ctx.db, (tx) => writeHeld(tx, repo.id, objects));
  for (const group of groups) {
    ctx.signal.throwIfAborted();
    const write = async (tx: Tx) => {
      if (groups.length === 1) await writeHeld(tx, repo.id, objects);
      await holdFilesOf(tx, repo, group, objects);
    };
    const stayed = await moveTogether(ctx, { repo, commands: group, forced, snapshot, write });
    for (const [ref, reason] of stayed) refusals.set(ref, reason);
    await failpoint('push.ref-landed');
  }
  await failpoint('push.after-tx');
}

/** Puts the pack of a push that went through into the cache: the next fetch need not read its objects again. */
async function keepPack(
  ctx: Ctx,
  repo: Repo,
  bare: BareRepo,
  { pack }: Quarantine,
  { refusals, forced, received }: Checked,
  commands: readonly RefCommand[],
): Promise<void> {
  if (pack === null || refusals.size > 0 || forced.size > 0) return;
  await bareCacheOf(ctx).adopt(repo, {
    pack: pack.path,
    over: bare.objects,
    others: pack.sent.filter((oid) => !received.has(oid)),
    moved: commands,
  });
}

async function receiveObjects(ctx: Ctx, repo: Repo, request: PushRequest, refusals: Refusals, say: Say) {
  const { commands } = request;
  const bare = await bareCacheOf(ctx).open(repo, { mustBePure: true, signal: ctx.signal });
  let quarantine: Quarantine | undefined;
  try {
    quarantine = await openQuarantine(ctx, bare, request.pack);
    if (quarantine.pack) say(`Checking ${quarantine.pack.sent.length} objects`);
    const checked = await checkQuarantined(ctx, repo, bare, quarantine, commands, refusals);
    await land(ctx, repo, request, checked);
    await keepPack(ctx, repo, bare, quarantine, checked, commands);
  } finally {
    await quarantine?.remove();
    bare.release();
  }
}

async function receive(ctx: Ctx, right: PushRight, request: PushRequest, say: Say): Promise<PushReport> {
  const { commands } = request;
  const { repo } = right;
  const refusals = refuseByName(ctx, right, commands);
  let unpackError: string | null = null;
  if (commands.every(({ newOid }) => newOid === null)) {
    const snapshot = await readRefSnapshot(ctx.db, repo);
    const [forced, received] = [new Set<string>(), new Set<Oid>()];
    await land(ctx, repo, request, { snapshot, refusals, forced, objects: NOTHING, received });
  } else {
    try {
      await receiveObjects(ctx, repo, request, refusals, say);
    } catch (error) {
      // A full disk is not the push's fault, but git only shows what stands in a report.
      const told = asStorageFull(error) ?? error;
      const isOurs = !isHubError(told) || (told.status >= 500 && told.code !== 'storage_full');
      if (isOurs || told.code === 'repo_not_found') throw error;
      unpackError = told.message;
      await drain(request.pack, ctx.config.LARDER_PUSH_BYTES);
    }
  }
  const results = commands.map(({ ref }) => ({
    ref,
    error: unpackError === null ? (refusals.get(ref) ?? null) : 'unpacker error',
  }));
  return { unpackError, results };
}

/**
 * Takes a push: objects into quarantine, checks, rows, refs; then and only then `ok`. An atomic push moves all refs in
 * one transaction or none; else each ref has its own. Objects of refused pushes never leave the quarantine. Killed at
 * any line, refs are as before or moved whole, and what lies about is unreachable. `read` is called once the caller
 * may write. Throws repo_not_found, forbidden, unauthenticated, overloaded, not_implemented (no git here); what is
 * wrong with the push itself stands in the report.
 */
export async function receivePush(
  ctx: Ctx,
  ref: RepoRef,
  read: () => Promise<PushRequest>,
  say: Say,
): Promise<PushReport | null> {
  const right = await requirePush(ctx, ref);
  await requireGit();
  return gitSlots(ctx).use(async () => {
    const request = await read();
    return request.commands.length === 0 ? null : receive(ctx, right, request, say);
  }, ctx.signal);
}
