import type { Ctx } from '#lib/identity/context.ts';
import { resolveRange } from '../diff/resolve-range.ts';
import { unifiedDiff } from '../diff/unified-diff.ts';
import { EMPTY_TREE_OID } from '../git/tree.ts';
import type { RepoRef } from '../types.ts';
import type { MergeState } from './read-merge-state.ts';

/** More of a diff is not put into an answer that also carries a conversation. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The changes of a pull request as git writes them, up to about 8 MiB: then it ends at a whole part, and its last line
 * says where the rest is. `comparePath` is the address of the whole.
 */
export async function pullDiff(
  ctx: Ctx,
  ref: RepoRef,
  merge: Pick<MergeState, 'baseOid' | 'headOid'>,
  comparePath: (pinned: string) => string,
): Promise<string> {
  const base = merge.baseOid ?? EMPTY_TREE_OID;
  const range = await resolveRange(ctx, ref, { base, head: merge.headOid, mode: 'two-dot' });
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of unifiedDiff(ctx, range)) {
    ctx.signal.throwIfAborted();
    bytes += part.length;
    if (bytes > MAX_BYTES) {
      parts.push(Buffer.from(`# The rest of this difference is at ${comparePath(range.pinned)}\n`));
      break;
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
