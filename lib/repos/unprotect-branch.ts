import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireAdmin } from './access.ts';
import { auditSubject } from './move-ref.ts';
import type { RepoRef } from './types.ts';

/** Takes back the protection of exactly this pattern. Throws repo_not_found, forbidden, not_found. */
export async function unprotectBranch(ctx: Ctx, ref: RepoRef, pattern: string): Promise<void> {
  const repo = await requireAdmin(ctx, ref);
  const missing = hubError('not_found', `no branches are protected by ${JSON.stringify(pattern)}`);
  if (pattern.includes('\0')) throw missing;
  await transaction(ctx.db, async (tx) => {
    const gone = await tx.query('DELETE FROM protected_branch WHERE repo_id = $1 AND pattern = $2', [
      repo.id,
      pattern,
    ]);
    if (gone.rowCount !== 1) throw missing;
    await audit(tx, ctx, { action: 'repo.unprotect', subject: auditSubject(repo), details: { pattern } });
  });
}
