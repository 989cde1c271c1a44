import type { Ctx } from '#lib/identity/context.ts';
import { getDiscussion } from '#lib/repos/pulls/get-discussion.ts';
import { pullDiff } from '#lib/repos/pulls/pull-diff.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { isTrue, repoRefOf } from './repo-params.ts';
import { serializeDiscussion, serializeEvent } from './serialize-discussion.ts';
import { apiType } from './urls.ts';

/** One discussion with its events; a pull request also with its branch, files in conflict and, with `diff=1`, its changes. */
export async function sendDiscussion(
  ctx: Ctx,
  req: WireRequest,
  res: WireResponse,
  num: number,
): Promise<void> {
  const { repo, discussion, events, merge } = await getDiscussion(ctx, repoRefOf(req), num);
  const { pull } = discussion;
  const api = `${ctx.publicUrl}/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}`;
  const wantsDiff = merge !== null && isTrue(req.query.get('diff'));
  const diff = wantsDiff
    ? await pullDiff(ctx, repo, merge, (pinned) => `${api}/compare/${pinned}?raw=1`)
    : undefined;
  sendJson(res, 200, {
    ...serializeDiscussion(discussion, repo),
    events: events.map((event) => serializeEvent(event, repo)),
    ...(pull &&
      merge && {
        changes: {
          base: pull.baseRef,
          ...(pull.mergeCommitOid !== null && { mergeCommitId: pull.mergeCommitOid }),
        },
        filesWithConflicts: merge.conflicts ?? true,
        headOid: merge.headOid,
        behind: merge.behind,
        ...(diff !== undefined && { diff }),
      }),
  });
}
