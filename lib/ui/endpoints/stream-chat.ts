export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly temperature?: number;
  readonly maxTokens?: number;
}

/** A piece of an answer, or how many tokens it had in the end. */
export type ChatPiece = { readonly text: string } | { readonly completionTokens: number };

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: { readonly completion_tokens?: number } | null;
  readonly error?: { readonly message?: string };
}

async function refusalOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: string } | string } | null;
  const message = typeof body?.error === 'string' ? body.error : body?.error?.message;
  return message ?? `HTTP ${response.status}`;
}

/** Parts of a byte stream that are whole events; the lines after `data:` (WHATWG HTML §9.2). */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let pending = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      pending += value ?? '';
      const events = pending.split(/\r?\n\r?\n/);
      pending = done ? '' : (events.pop() ?? '');
      for (const event of events) {
        const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
        if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join('\n');
      }
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/**
 * Asks an OpenAI-compatible endpoint and gives the answer piece by piece. Throws an Error with the endpoint's own
 * words when it refuses or breaks off; ends without error when `signal` aborts after the first piece.
 */
export async function* streamChat(
  url: string,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatPiece> {
  const { model, messages, temperature, maxTokens } = request;
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature !== undefined && { temperature }),
      ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    }),
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(await refusalOf(response));
  for await (const data of readEvents(response.body)) {
    if (data === '[DONE]') return;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) throw new Error(chunk.error.message ?? 'error');
    const text = chunk.choices?.[0]?.delta?.content;
    if (text) yield { text };
    if (chunk.usage?.completion_tokens !== undefined)
      yield { completionTokens: chunk.usage.completion_tokens };
  }
}
