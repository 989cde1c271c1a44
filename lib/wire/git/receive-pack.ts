import type { Ctx } from '#lib/identity/context.ts';
import { receivePush } from '#lib/repos/push/receive-push.ts';
import type { PushReport } from '#lib/repos/push/types.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { type ParsedPush, parsePush } from './parse-push.ts';
import { FLUSH, MAX_PAYLOAD, onBand, pktLine } from './pkt-line.ts';
import { repoRefOf } from './repo-ref-of.ts';
import { requestBody } from './request-body.ts';
import { sendWhole } from './send.ts';

const TYPE = 'application/x-git-receive-pack-result';
/** Longest reason in a report, in bytes: it is one line on somebody's terminal. */
const MAX_REASON = 1000;

/** What a terminal would obey instead of showing, as an escape of JSON. */
const visible = (text: string) =>
  text.replaceAll(
    /[\p{Cc}\p{Bidi_Control}]/gu,
    (sign) => `\\u${(sign.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );

/** One line of a report: `head`, which must be short of a pkt-line, and as much of the reason as is bearable. */
function reportLine(head: string, reason: string): Buffer {
  const room = Math.min(MAX_REASON, MAX_PAYLOAD - Buffer.byteLength(head) - 1);
  const text = Buffer.from(visible(reason.replaceAll(/\s*\n\s*/g, '; ')));
  const cut =
    text.length > room ? `${new TextDecoder().decode(text.subarray(0, room - 8), { stream: true })} …` : text;
  return pktLine(`${head}${cut}\n`);
}

/** The report of gitprotocol-pack(5): what became of the pack, then of each ref. */
function formatReport({ unpackError, results }: PushReport): Buffer {
  const lines = results.map(({ ref, error }) =>
    error === null ? pktLine(`ok ${ref}\n`) : reportLine(`ng ${ref} `, error),
  );
  return Buffer.concat([reportLine('unpack ', unpackError ?? 'ok'), ...lines, FLUSH]);
}

function answerTo(push: ParsedPush, report: PushReport, said: readonly string[]): Buffer {
  const wantsReport = push.abilities.has('report-status') || push.abilities.has('report-status-v2');
  const body = wantsReport ? formatReport(report) : Buffer.alloc(0);
  if (!push.abilities.has('side-band-64k')) return body;
  const lines = [...said, ...(report.unpackError?.split('\n') ?? [])];
  const text = lines.map((line) => `${visible(line)}\n`).join('');
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
