import { hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canRead, canWrite } from '#lib/identity/policy.ts';
import { type PrincipalKey, principalKey, reloadPrincipal } from '#lib/identity/reload-principal.ts';
import { sign, verify } from '#lib/identity/signing.ts';
import { REPO_COLUMNS, repoOf } from '../../db.ts';
import { areDiscussionsDisabled } from '../../pulls/discussions-db.ts';
import type { Repo } from '../../types.ts';
import { domainOwner } from './current-domain.ts';
import { domainOf, epochOf } from './db.ts';

export type XetScope = 'read' | 'write';

/** What a Xet token allows: reading, or also writing, the files of one repo in one domain. */
export interface XetGrant {
  readonly repoId: RepoId;
  readonly domainId: number;
  readonly epoch: number;
  readonly scope: XetScope;
  readonly who: PrincipalKey | null;
  /** Who holds it may not write to the repo, but brings files for a pull request: into a domain of their own. */
  readonly isGuest?: true;
}

export interface XetToken {
  readonly domainId: number;
  readonly epoch: number;
  readonly accessToken: string;
  /** Unix seconds; clients fetch a new token 30 s before. */
  readonly expiresAt: number;
}

const PURPOSE = 'xet-token';
const TTL_SECONDS = 30 * 60;
/** Clients take a 401 for final and refresh by their own clock: a token works on for a while. */
const GRACE_SECONDS = 10 * 60;
const RECHECK_MS = 5_000;
const MAX_REMEMBERED = 5_000;

/**
 * A token for the files of `repo`. The caller must have checked the right that `scope` names. A guest's token writes into
 * the guest's own domain: chunks of the repo's namespace, private repos among them, cannot be named with it.
 */
export async function issueXetToken(
  ctx: Ctx,
  repo: Repo,
  scope: XetScope,
  { isGuest = false }: { isGuest?: boolean } = {},
): Promise<XetToken> {
  const { principal } = ctx;
  const owner = isGuest && principal.kind === 'user' ? principal.id : repo.namespaceId;
  const { id: domainId, epoch } = await domainOf(ctx.db, domainOwner(ctx, owner));
  const who = principalKey(principal);
  const grant: XetGrant = { repoId: repo.id, domainId, epoch, scope, who, ...(isGuest && { isGuest }) };
  const accessToken = `xet_${sign(ctx, PURPOSE, grant, TTL_SECONDS + GRACE_SECONDS)}`;
  return { domainId, epoch, accessToken, expiresAt: Math.floor(ctx.clock.now() / 1000) + TTL_SECONDS };
}

/** Whether the person behind the grant still has its right: a revoked access token or membership, a deleted or private repo end it. */
async function stillHolds(app: App, grant: XetGrant): Promise<boolean> {
  const principal = await reloadPrincipal(app, grant.who);
  if (principal === null || (await epochOf(app.db, grant.domainId)) !== grant.epoch) return false;
  const { rows } = await app.db.query<Parameters<typeof repoOf>[0]>({
    name: 'xet-repo-by-id',
    text: `SELECT ${REPO_COLUMNS} FROM repo r JOIN namespace n ON n.id = r.namespace_id
           WHERE r.id = $1 AND r.deleted_at IS NULL`,
    values: [grant.repoId],
  });
  const repo = rows[0] && repoOf(rows[0]);
  if (repo === undefined || !canRead(principal, repo)) return false;
  if (grant.isGuest) return canChangeAnything(principal) && !(await areDiscussionsDisabled(app.db, repo.id));
  return grant.scope === 'read' || canWrite(principal, repo);
}

interface Remembered {
  readonly untilMs: number;
  readonly holds: Promise<boolean>;
}

const remembered = new WeakMap<object, Map<string, Remembered>>();

/** stillHolds, asked once per grant and 5 seconds. */
function holdsNow(app: App, grant: XetGrant): Promise<boolean> {
  let checks = remembered.get(app.db);
  if (checks === undefined) remembered.set(app.db, (checks = new Map()));
  const key = JSON.stringify(grant);
  const nowMs = app.clock.now();
  const known = checks.get(key);
  if (known !== undefined && known.untilMs > nowMs && known.untilMs <= nowMs + RECHECK_MS) return known.holds;
  const holds = stillHolds(app, grant);
  checks.delete(key);
  checks.set(key, { untilMs: nowMs + RECHECK_MS, holds });
  holds.catch(() => checks.delete(key));
  if (checks.size > MAX_REMEMBERED) checks.delete(checks.keys().next().value as string);
  return holds;
}

/**
 * The grant in an Authorization header, for a request to the address of `domainId` and `epoch`. Throws
 * `unauthenticated` when the token is forged, expired, of another domain or epoch, or its right has ended (noticed
 * within 10 s), and `forbidden` when it may only read.
 */
export async function requireXetGrant(
  app: App,
  authorization: string | undefined,
  address: { domainId: number; epoch: number },
  scope: XetScope,
): Promise<XetGrant> {
  const token = /^Bearer xet_(\S+)$/i.exec(authorization ?? '')?.[1];
  const grant = token === undefined ? null : verify<XetGrant>(app, PURPOSE, token);
  if (grant === null || grant.domainId !== address.domainId || grant.epoch !== address.epoch)
    throw hubError(
      'unauthenticated',
      'The Xet token is not valid here or has expired: ask the hub for a new one',
    );
  if (!(await holdsNow(app, grant)))
    throw hubError('unauthenticated', 'The right behind this Xet token has ended: ask the hub for a new one');
  if (scope === 'write' && grant.scope !== 'write')
    throw hubError('forbidden', 'This Xet token only allows reading: ask for a write token');
  return grant;
}
