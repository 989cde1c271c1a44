import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireAdmin } from './access.ts';
import { bytesText, compileGlob } from './git/wildmatch.ts';
import { auditSubject } from './move-ref.ts';
import type { RepoRef } from './types.ts';

/** moveRef looks at no more. */
const MAX_RULES = 100;
const MAX_PATTERN_BYTES = 255;

/** A protection: branches whose short name matches the glob move forward only and are not deleted. */
export interface BranchRule {
  readonly pattern: string;
  /** Moved by merges of pull requests only. */
  readonly requirePullRequest: boolean;
}

/**
 * Adds a protection, or changes the one of this pattern. In force for every move of a ref that commits after it.
 * Throws repo_not_found, forbidden, invalid_input (pattern, more than 100 rules).
 */
export async function protectBranch(ctx: Ctx, ref: RepoRef, rule: BranchRule): Promise<BranchRule> {
  const repo = await requireAdmin(ctx, ref);
  const { pattern, requirePullRequest } = rule;
  const isText = pattern !== '' && pattern.isWellFormed() && !/\p{Cc}/u.test(pattern);
  if (!isText || Buffer.byteLength(pattern) > MAX_PATTERN_BYTES || compileGlob(bytesText(pattern)).cost === 0)
    throw hubError('invalid_input', 'pattern: a branch name or a glob such as release/*, at most 255 bytes');
  const createdBy = ctx.principal.kind === 'user' ? ctx.principal.id : repo.createdBy;
  await transaction(ctx.db, async (tx) => {
    await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR UPDATE', [repo.id]); // one at a time: they are counted
    await tx.query(
      `INSERT INTO protected_branch (repo_id, pattern, require_pull_request, created_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (repo_id, pattern) DO UPDATE SET require_pull_request = EXCLUDED.require_pull_request`,
      [repo.id, pattern, requirePullRequest, createdBy],
    );
    const { rows } = await tx.query<{ n: number }>(
      'SELECT count(*) AS n FROM protected_branch WHERE repo_id = $1',
      [repo.id],
    );
    if ((rows[0]?.n ?? 0) > MAX_RULES)
      throw hubError(
        'invalid_input',
        `at most ${MAX_RULES} protections: one pattern can cover many branches`,
      );
    await audit(tx, ctx, {
      action: 'repo.protect',
      subject: auditSubject(repo),
      details: { pattern, requirePullRequest },
    });
  });
  return rule;
}
