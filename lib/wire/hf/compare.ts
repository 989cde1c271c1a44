import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { parseRange } from '#lib/repos/diff/parse-range.ts';
import { resolveRange } from '#lib/repos/diff/resolve-range.ts';
import { unifiedDiff } from '#lib/repos/diff/unified-diff.ts';
import type { WireRequest } from '../request.ts';
import { sendPieces, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { SANDBOX_CSP } from './content-headers.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';

/** The difference of two revisions as git writes it: with `raw` as text, else as one JSON string. */
export const compare: Route = route(
  ['GET', 'HEAD'],
  `${API_REPO}/compare/*rest`,
  { operation: 'repo.compare', access: 'repo.read', timeoutMs: 300_000 },
  sendDiff,
);

async function sendDiff(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const ref = repoRefOf(req);
  await requireRead(ctx, ref); // before the range is looked at: a hidden repo answers alike to every range
  const range = await resolveRange(ctx, ref, parseRange(req.decodedParam('rest')));
  const raw = isTrue(req.query.get('raw'));
  const headers = {
    'content-type': raw ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8',
    'content-security-policy': SANDBOX_CSP,
    'cache-control': 'private, no-cache',
    ...(range.head.commitOid === null ? {} : { 'x-repo-commit': range.head.commitOid }),
  };
  if (req.method === 'HEAD') {
    res.writeHead(200, headers);
    res.end();
    return;
  }
  const diff = unifiedDiff(ctx, range);
  const first = await diff.next(); // what is refused is refused before the head is sent
  const parts = joined(first, diff);
  await sendPieces(res, 200, headers, raw ? parts : jsonText(parts));
}

async function* joined(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** Parts of a text as one JSON string, a part at a time; each part is whole characters. */
async function* jsonText(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from('"');
  for await (const part of parts) yield Buffer.from(JSON.stringify(part.toString('utf8')).slice(1, -1));
  yield Buffer.from('"');
}
