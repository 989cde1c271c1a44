import type { Ctx } from '#lib/identity/context.ts';
import { receivePush } from '#lib/repos/push/receive-push.ts';
import type { PushReport } from '#lib/repos/push/types.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { type ParsedPush, parsePush } from './parse-push.ts';
import { FLUSH, onBand, pktLine } from './pkt-line.ts';
import { repoRefOf } from './repo-ref-of.ts';
import { requestBody } from './request-body.ts';
import { sendWhole } from './send.ts';

const TYPE = 'application/x-git-receive-pack-result';
const oneLine = (text: string) => text.replaceAll(/\s*\n\s*/g, '; ');

/** The report of gitprotocol-pack(5): what became of the pack, then of each ref. */
function formatReport({ unpackError, results }: PushReport): Buffer {
  const lines = results.map(({ ref, error }) =>
    error === null ? `ok ${ref}\n` : `ng ${ref} ${oneLine(error)}\n`,
  );
  return Buffer.concat([
    pktLine(`unpack ${unpackError === null ? 'ok' : oneLine(unpackError)}\n`),
    ...lines.map((line) => pktLine(line)),
    FLUSH,
  ]);
}

function answerTo(push: ParsedPush, report: PushReport, said: readonly string[]): Buffer {
  const wantsReport = push.abilities.has('report-status') || push.abilities.has('report-status-v2');
  const body = wantsReport ? formatReport(report) : Buffer.alloc(0);
  if (!push.abilities.has('side-band-64k')) return body;
  const text = [...said, ...(report.unpackError?.split('\n') ?? [])].map((line) => `${line}\n`).join('');
  const talk = push.abilities.has('quiet') && report.unpackError === null ? '' : text;
  return Buffer.concat([...onBand(2, Buffer.from(talk)), ...onBand(1, body), FLUSH]);
}

/** A push: answers once everything that it acknowledges is durable. */
export async function receivePack(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  let push: ParsedPush | undefined;
  const said: string[] = [];
  const read = async () => {
    push = await parsePush(requestBody(req));
    return push;
  };
  const report = await receivePush(ctx, repoRefOf(req), read, (line) => said.push(line));
  if (!req.raw.complete) res.setHeader('connection', 'close'); // see refuse in dispatch.ts
  sendWhole(
    res,
    TYPE,
    report === null || push === undefined ? Buffer.alloc(0) : answerTo(push, report, said),
  );
}
