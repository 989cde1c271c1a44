import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything } from '#lib/identity/policy.ts';
import { requireRead } from '../access.ts';
import { auditSubject } from '../move-ref.ts';
import type { RepoRef } from '../types.ts';
import { selectHolder } from './quotas-db.ts';
import { findNamespaceId } from './read-usage.ts';

/** A user or organization by name, or a repo. */
export type QuotaSubject = { readonly namespace: string } | { readonly repo: RepoRef };

async function subjectOf(ctx: Ctx, subject: QuotaSubject): Promise<{ id: string; audited: string }> {
  if ('repo' in subject) {
    const repo = await requireRead(ctx, subject.repo);
    return { id: repo.publicId, audited: auditSubject(repo) };
  }
  const id = await findNamespaceId(ctx.db, subject.namespace);
  const holder = await selectHolder(ctx.db, ctx.config, id);
  return { id, audited: `${holder?.kind ?? 'user'}:${holder?.namespace ?? subject.namespace}` };
}

/**
 * Sets how many logical bytes a user, an organization or a repo may hold, in place of the configured limit: 0 for no
 * limit, null to go back to the configured one. A limit below what is held deletes nothing: it refuses what would add to
 * it. Only administrators of the hub. Throws unauthenticated, forbidden, not_found, repo_not_found, invalid_input.
 */
export async function setQuota(ctx: Ctx, subject: QuotaSubject, limitBytes: number | null): Promise<void> {
  const { principal } = ctx;
  if (principal.kind === 'anonymous') throw hubError('unauthenticated', 'Sign in to set limits');
  if (principal.kind !== 'user' || !principal.isAdmin || !canChangeAnything(principal))
    throw hubError('forbidden', 'Only administrators of this hub may set limits');
  if (limitBytes !== null && (!Number.isSafeInteger(limitBytes) || limitBytes < 0))
    throw hubError('invalid_input', '"limitBytes" must be a whole number of bytes, 0 for no limit, or null');
  const { id, audited } = await subjectOf(ctx, subject);
  await transaction(ctx.db, async (tx) => {
    if (limitBytes === null) await tx.query('DELETE FROM storage_quota WHERE subject_id = $1', [id]);
    else
      await tx.query(
        `INSERT INTO storage_quota (subject_id, limit_bytes, set_by) VALUES ($1, $2, $3)
         ON CONFLICT (subject_id) DO UPDATE SET limit_bytes = EXCLUDED.limit_bytes, set_by = EXCLUDED.set_by, set_at = now()`,
        [id, limitBytes, principal.id],
      );
    await audit(tx, ctx, { action: 'quota.set', subject: audited, details: { limitBytes } });
  });
}
