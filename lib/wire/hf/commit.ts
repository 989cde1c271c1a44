import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from '#lib/repos/access.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { type CommitBody, commitOfJson, readCommit } from './read-commit.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';
import { commitUrl } from './urls.ts';

const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** Long commits stream hundreds of megabytes of base64 over slow lines. */
const TIMEOUT_MS = 15 * 60_000;

/** One commit on a branch, read line by line as it arrives. */
export const commit: Route = route(
  'POST',
  `${API_REPO}/commit/*rest`,
  { operation: 'repo.commit', access: 'repo.write', timeoutMs: TIMEOUT_MS },
  sendCommit,
);

async function sendCommit(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const ref = repoRefOf(req);
  await requireWrite(ctx, ref); // before a byte of the body is read
  refusePullRequest(req);
  const { header, operations } = await readBody(req);
  const revision = req.decodedParam('rest');
  const result = await createCommit(ctx, ref, { revision, header, operations });
  sendJson(res, 200, {
    success: true,
    commitOid: result.commitOid,
    commitUrl: commitUrl(ctx.publicUrl, result.repo, result.commitOid),
    hookOutput: '',
  });
}

/** Says plainly what this hub does not do, instead of committing to a place the caller did not mean. */
export function refusePullRequest(req: WireRequest): void {
  if (isTrue(req.query.get('create_pr')))
    throw hubError(
      'invalid_input',
      'create_pr: this hub has no pull requests yet: commit to a branch that you may write to',
    );
}

async function readBody(req: WireRequest): Promise<CommitBody> {
  if (req.header('content-type')?.startsWith('application/json'))
    return commitOfJson(await req.json(z.unknown(), MAX_JSON_BYTES));
  return readCommit(req.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
}
