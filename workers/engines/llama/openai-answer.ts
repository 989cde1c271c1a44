import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Piece } from './llama-model.ts';
import type { EngineRequest } from './openai-request.ts';

export interface Outcome {
  promptTokens: number;
  completionTokens: number;
}

/**
 * Sends an answer as server-sent events or as one JSON object, in OpenAI's shapes, no faster than it is read.
 * Returns the token counts. Throws when `signal` aborts, which it must when the caller goes away.
 */
export async function sendAnswer(
  res: ServerResponse,
  request: EngineRequest,
  modelName: string,
  pieces: AsyncGenerator<Piece>,
  signal: AbortSignal,
): Promise<Outcome> {
  const shape = shapes(request.kind, modelName);
  let prompt = { tokens: 0, cachedTokens: 0 };
  let end = { reason: 'stop', tokens: 0 };
  let text = '';
  for await (const piece of pieces) {
    if (piece.kind === 'prompt') prompt = piece;
    else if (piece.kind === 'end') end = piece;
    else if (request.stream) {
      if (!res.headersSent) await openStream(res, shape.opening(), signal);
      await writeEvent(res, shape.delta(piece.text), signal);
    } else text += piece.text;
  }
  const usage = usageOf(prompt, end.tokens);
  if (request.stream) {
    if (!res.headersSent) await openStream(res, shape.opening(), signal);
    await writeEvent(res, shape.finish(end.reason), signal);
    if (request.includeUsage) await writeEvent(res, shape.usage(usage), signal);
    res.end('data: [DONE]\n\n');
  } else {
    const body = Buffer.from(JSON.stringify(shape.whole(text, end.reason, usage)));
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  }
  return { promptTokens: prompt.tokens, completionTokens: end.tokens };
}

async function openStream(res: ServerResponse, opening: object | null, signal: AbortSignal): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  if (opening) await writeEvent(res, opening, signal);
}

async function writeEvent(res: ServerResponse, data: object, signal: AbortSignal): Promise<void> {
  if (!res.write(`data: ${JSON.stringify(data)}\n\n`)) await once(res, 'drain', { signal });
}

function usageOf(prompt: { tokens: number; cachedTokens: number }, completionTokens: number) {
  return {
    prompt_tokens: prompt.tokens,
    completion_tokens: completionTokens,
    total_tokens: prompt.tokens + completionTokens,
    prompt_tokens_details: { cached_tokens: prompt.cachedTokens },
  };
}

type Usage = ReturnType<typeof usageOf>;

function shapes(kind: 'chat' | 'text', model: string) {
  const id = `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${randomBytes(12).toString('hex')}`;
  const created = Math.floor(Date.now() / 1000);
  const chat = kind === 'chat';
  const chunk = { id, object: chat ? 'chat.completion.chunk' : 'text_completion', created, model };
  const choice = (delta: object, text: string, reason: string | null) => ({
    ...chunk,
    choices: [
      chat
        ? { index: 0, delta, logprobs: null, finish_reason: reason }
        : { index: 0, text, logprobs: null, finish_reason: reason },
    ],
  });
  return {
    opening: () => (chat ? choice({ role: 'assistant', content: '' }, '', null) : null),
    delta: (text: string) => choice({ content: text }, text, null),
    finish: (reason: string) => choice({}, '', reason),
    usage: (usage: Usage) => ({ ...chunk, choices: [], usage }),
    whole: (text: string, reason: string, usage: Usage) => ({
      ...chunk,
      object: chat ? 'chat.completion' : 'text_completion',
      choices: [
        chat
          ? {
              index: 0,
              message: { role: 'assistant', content: text, refusal: null },
              logprobs: null,
              finish_reason: reason,
            }
          : { index: 0, text, logprobs: null, finish_reason: reason },
      ],
      usage,
    }),
  };
}
