import { z } from 'zod';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createPullCommit } from '#lib/repos/pulls/create-pull-commit.ts';
import { requireParticipant } from '#lib/repos/pulls/participation.ts';
import { requireWritableRef } from '#lib/repos/writable-ref.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { type CommitBody, commitOfJson, readCommit } from './read-commit.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';
import { commitUrl, discussionUrl } from './urls.ts';

const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Long commits stream hundreds of megabytes of base64 over slow lines. */
const TIMEOUT_MS = 15 * 60_000;

/** One commit on a branch or a pull request, read line by line as it arrives; with `create_pr` on a new pull request. */
export const commit: Route = route(
  'POST',
  `${API_REPO}/commit/*rest`,
  { operation: 'repo.commit', access: 'repo.write', timeoutMs: TIMEOUT_MS },
  sendCommit,
);

async function sendCommit(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const ref = repoRefOf(req);
  const revision = req.decodedParam('rest');
  const opensPull = isTrue(req.query.get('create_pr'));
  // before a byte of the body is read
  await (opensPull ? requireParticipant(ctx, ref) : requireWritableRef(ctx, ref, revision));
  const { header, operations } = await readBody(req);
  const request = { revision, header, operations };
  const result = opensPull
    ? await createPullCommit(ctx, ref, request)
    : await createCommit(ctx, ref, request);
  sendJson(res, 200, {
    success: true,
    commitOid: result.commitOid,
    commitUrl: commitUrl(ctx.publicUrl, result.repo, result.commitOid),
    ...('num' in result && { pullRequestUrl: discussionUrl(ctx.publicUrl, result.repo, result.num) }),
    hookOutput: '',
  });
}

async function readBody(req: WireRequest): Promise<CommitBody> {
  if (req.header('content-type')?.startsWith('application/json'))
    return commitOfJson(await req.json(z.unknown(), MAX_JSON_BYTES));
  return readCommit(req.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
}
