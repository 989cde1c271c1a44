import { createHash } from 'node:crypto';
import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, newId, type Oid, type Sha256 } from '#lib/base/ids.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canCreateIn } from '#lib/identity/policy.ts';
import { requireRead } from '#lib/repos/access.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { Repo, RepoRef, TreeEntry } from '#lib/repos/types.ts';
import { canManage } from './access.ts';
import { chooseEngine } from './choose-engine.ts';
import { type EndpointRecord, findEndpointsById } from './db.ts';
import { addStateEvent, notifyChange } from './events.ts';
import { refuseTooMany } from './refuse-too-many.ts';
import type { EndpointSpec, EngineId } from './types.ts';
import { type EndpointView, viewEndpoint } from './view.ts';

const SPEC: EndpointSpec = { contextSize: 4096, parallel: 2 };
const MOST_FILES = 20_000;
const MOST_NAMES = 100;

/** What to run: decided once, at the click. */
interface Plan {
  readonly commitOid: Oid;
  readonly path: string;
  readonly sha256: Sha256;
  readonly engine: EngineId;
}

/**
 * One click: serves the repo's best file with the fitting engine, pinned to the head of its default branch, under
 * the repo's name, in its namespace when the caller may create there and else in the caller's own. Clicking again
 * (also twice at once) gives the same endpoint; one that is stopped or failed is pinned anew and started.
 * Throws repo_not_found, forbidden, or invalid_input with the reason why this repo cannot be deployed.
 */
export async function createEndpoint(
  ctx: Ctx,
  ref: RepoRef,
): Promise<{ endpoint: EndpointView; created: boolean }> {
  const repo = await requireRead(ctx, ref);
  if (ctx.principal.kind !== 'user')
    throw hubError('unauthenticated', 'Sign in or send an access token to deploy a model');
  if (!canChangeAnything(ctx.principal))
    throw hubError('forbidden', 'Forbidden: you must use a write token to deploy a model.');
  const home = canCreateIn(ctx.principal, repo.namespaceId) ? repo.namespaceId : ctx.principal.id;
  const plan = await planFor(ctx, repo);
  const done = await transaction(ctx.db, async (tx) => {
    const placed = await place(tx, ctx, repo, home, plan);
    await refuseTooMany(tx, ctx.config, home);
    return placed;
  });
  const [record] = await findEndpointsById(ctx.db, [done.id]);
  if (!record) throw hubError('busy', 'the endpoint was deleted at this moment: try again');
  return { endpoint: await viewEndpoint(ctx, record), created: done.created };
}

async function planFor(ctx: Ctx, repo: Repo): Promise<Plan> {
  const { commitOid } = await resolveRevision(ctx.db, repo, repo.defaultBranch);
  const { entries } = await listTree(ctx, repo, commitOid, '', { recursive: true, limit: MOST_FILES });
  const choice = chooseEngine(entries);
  if (!choice.ok) throw hubError('invalid_input', `This model cannot be deployed: ${choice.reason}.`);
  const entry = entries.find((e) => e.path === choice.path) as TreeEntry;
  return { commitOid, path: choice.path, engine: choice.engine, sha256: await sha256Of(ctx, repo, entry) };
}

/** A large file is known by its sha256; a small one that git holds itself is hashed here. */
async function sha256Of(ctx: Ctx, repo: Repo, entry: TreeEntry): Promise<Sha256> {
  if (!entry.lfs) {
    const bytes = await readBlob(ctx.db, repo.id, entry.oid);
    return createHash('sha256').update(bytes).digest('hex') as Sha256;
  }
  const files = await findFiles(ctx.db, repo.id, [entry.lfs.sha256]);
  if (!files.has(entry.lfs.sha256))
    throw hubError(
      'invalid_input',
      `This model cannot be deployed: the bytes of ${entry.path} are not here.`,
    );
  return entry.lfs.sha256;
}

/** Inserts the endpoint under the first name that is free, or finds the one that this repo has already. */
async function place(
  tx: Tx,
  ctx: Ctx,
  repo: Repo,
  namespaceId: string,
  plan: Plan,
): Promise<{ id: string; created: boolean }> {
  for (let n = 1; n <= MOST_NAMES; n++) {
    const name = n === 1 ? repo.name : `${repo.name.slice(0, 92)}-${n}`;
    const id = await insert(tx, ctx, repo, namespaceId, name, plan);
    if (id !== null) return { id, created: true };
    const { rows } = await tx.query<{ id: string; repo_id: number }>(
      'SELECT id, repo_id FROM endpoint WHERE namespace_id = $1 AND name_key = lower($2) FOR UPDATE',
      [namespaceId, name],
    );
    const there = rows[0];
    if (there?.repo_id !== repo.id) continue;
    await restartIfIdle(tx, ctx, there.id, plan);
    return { id: there.id, created: false };
  }
  throw hubError('conflict_exists', `There are already ${MOST_NAMES} endpoints of this name.`);
}

async function insert(
  tx: Tx,
  ctx: Ctx,
  repo: Repo,
  namespaceId: string,
  name: string,
  plan: Plan,
): Promise<string | null> {
  const creator = ctx.principal.kind === 'user' ? ctx.principal : null;
  const { rows } = await tx.query<{ id: string; namespace: string }>(
    `INSERT INTO endpoint (id, namespace_id, name, name_key, repo_id, commit_oid, path, sha256, engine, spec,
                           desired, created_by)
     VALUES ($1, $2, $3, lower($3), $4, $5, $6, $7, $8, $9, 'running', $10)
     ON CONFLICT (namespace_id, name_key) DO NOTHING
     RETURNING id, (SELECT name FROM namespace WHERE id = $2) AS namespace`,
    [
      newId(ctx.clock.now()),
      namespaceId,
      name,
      repo.id,
      bytesOf(plan.commitOid),
      plan.path,
      bytesOf(plan.sha256),
      plan.engine,
      SPEC,
      creator?.id,
    ],
  );
  const row = rows[0];
  if (!row) return null;
  await addStateEvent(tx, row.id, 'pending', `deployed by ${creator?.name}`);
  await audit(tx, ctx, {
    action: 'endpoint.create',
    subject: `endpoint:${row.namespace}/${name}`,
    details: { repo: `${repo.type}:${repo.namespace}/${repo.name}`, commit: plan.commitOid, path: plan.path },
  });
  await notifyChange(tx, row.id, { wanted: true });
  return row.id;
}

/** Deploying what is stopped or failed means: run it, from the head as it is now. What runs is left alone. */
async function restartIfIdle(tx: Tx, ctx: Ctx, id: string, plan: Plan): Promise<void> {
  const [there] = await findEndpointsById(tx, [id]);
  const idle = there && (there.desired === 'stopped' || there.state === 'failed');
  if (!idle || !canManage(ctx.principal, there)) return;
  await tx.query(
    `UPDATE endpoint SET desired = 'running', generation = generation + 1, failures = 0, not_before = NULL,
            state = 'pending', message = '', commit_oid = $2, path = $3, sha256 = $4, engine = $5, updated_at = now()
      WHERE id = $1`,
    [id, bytesOf(plan.commitOid), plan.path, bytesOf(plan.sha256), plan.engine],
  );
  await recordDeployAgain(tx, ctx, there, plan);
}

async function recordDeployAgain(tx: Tx, ctx: Ctx, there: EndpointRecord, plan: Plan): Promise<void> {
  const by = ctx.principal.kind === 'user' ? ctx.principal.name : 'the hub';
  await addStateEvent(tx, there.id, 'pending', `deployed again by ${by}`);
  await audit(tx, ctx, {
    action: 'endpoint.redeploy',
    subject: `endpoint:${there.namespace}/${there.name}`,
    details: { commit: plan.commitOid, path: plan.path },
  });
  await notifyChange(tx, there.id, { wanted: true });
}
