import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { hubError } from '#lib/base/errors.ts';
import { countUsage } from '#lib/endpoints/count-usage.ts';
import { findTarget, findTargetByModel, type Target } from '#lib/endpoints/find-target.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { askEngine } from './ask-engine.ts';
import { EventFilter, type TokenUsage } from './event-filter.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_IN_FLIGHT = 128;

/** Requests at work in this process, by endpoint. */
const inFlight = new Map<string, number>();

interface OpenAiBody {
  model?: unknown;
  stream?: unknown;
  stream_options?: unknown;
}

/**
 * Hands an OpenAI request to the engine of its endpoint and the answer back as it comes: not buffered, at the
 * client's pace, ended at the engine when the client goes away. Bodies are never logged or kept. An answer that
 * breaks off breaks the connection, so that it is not taken for a short one.
 */
export async function relay(
  ctx: Ctx,
  req: WireRequest,
  res: WireResponse,
  enginePath: string,
): Promise<void> {
  const body = await readBody(req);
  const { ns, name } = req.params;
  const target =
    ns !== undefined && name !== undefined
      ? await findTarget(ctx, { namespace: ns, name })
      : await findTargetByModel(ctx, modelOf(body));
  const wantsUsage = (body.stream_options as { include_usage?: unknown } | null)?.include_usage === true;
  const isStream = body.stream === true;
  const asked = {
    ...body,
    model: target.model,
    ...(isStream
      ? { stream_options: { ...(body.stream_options as object | null), include_usage: true } }
      : {}),
  };
  await counted(ctx, target, async () => {
    const answer = await askEngine(target, enginePath, bytesOf(asked), ctx.signal);
    const isEvents = /^text\/event-stream\b/.test(answer.headers['content-type'] ?? '');
    return isEvents ? relayEvents(ctx, answer, res, wantsUsage) : relayWhole(answer, res);
  });
}

async function readBody(req: WireRequest): Promise<OpenAiBody> {
  const text = (await req.body(MAX_BODY_BYTES)).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw hubError('invalid_input', 'the request body is not valid JSON', { cause: error });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw hubError('invalid_input', 'the request body must be a JSON object');
  return value;
}

/** JSON can be read at any depth but not written: what nests a hundred thousand deep overflows the stack. */
function bytesOf(body: OpenAiBody): Buffer {
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (error) {
    throw hubError('invalid_input', 'the request body nests too deeply', { cause: error });
  }
}

function modelOf(body: OpenAiBody): string {
  if (typeof body.model === 'string' && body.model !== '') return body.model;
  throw hubError('invalid_input', '"model": required, as "namespace/name"');
}

/** Bounds what one endpoint may hold open here, and counts what came of each request exactly once. */
async function counted(
  ctx: Ctx,
  target: Target,
  work: () => Promise<{ status: number; usage: TokenUsage | null }>,
): Promise<void> {
  const { endpointId } = target;
  const atWork = inFlight.get(endpointId) ?? 0;
  if (atWork >= MAX_IN_FLIGHT)
    throw hubError('rate_limited', `${target.model} has ${atWork} requests at work: try again in a moment.`);
  inFlight.set(endpointId, atWork + 1);
  let outcome: { status: number; usage: TokenUsage | null } = { status: 500, usage: null };
  try {
    outcome = await work();
  } finally {
    const left = (inFlight.get(endpointId) ?? 1) - 1;
    if (left > 0) inFlight.set(endpointId, left);
    else inFlight.delete(endpointId);
    countUsage(ctx.db, endpointId, {
      requests: 1,
      errors: outcome.status >= 500 && !ctx.signal.aborted ? 1 : 0,
      promptTokens: outcome.usage?.prompt_tokens ?? 0,
      completionTokens: outcome.usage?.completion_tokens ?? 0,
    });
  }
}

async function relayEvents(ctx: Ctx, answer: IncomingMessage, res: WireResponse, wantsUsage: boolean) {
  const filter = new EventFilter(wantsUsage);
  res.writeHead(answer.statusCode ?? 502, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    const ready = filter.push(chunk);
    if (ready.length > 0 && !res.write(ready)) await once(res, 'drain', { signal: ctx.signal });
  }
  if (!filter.isDone) throw hubError('internal', 'the engine broke off', { internal: 'no [DONE]' });
  res.end();
  return { status: 200, usage: filter.usage };
}

async function relayWhole(answer: IncomingMessage, res: WireResponse) {
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    total += part.length;
    if (total > MAX_ANSWER_BYTES) throw hubError('internal', 'the engine sent too much');
    parts.push(part);
  }
  const bytes = Buffer.concat(parts, total);
  const status = answer.statusCode ?? 502;
  const retryAfter = answer.headers['retry-after'];
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...(retryAfter && /^\d{1,5}$/.test(retryAfter) ? { 'retry-after': retryAfter } : {}),
  });
  res.end(bytes);
  return { status, usage: usageIn(bytes) };
}

function usageIn(bytes: Buffer): TokenUsage | null {
  try {
    return (JSON.parse(bytes.toString('utf8')) as { usage?: TokenUsage }).usage ?? null;
  } catch {
    return null;
  }
}
