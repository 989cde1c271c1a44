import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import type { ChatMessage } from './chat-prompt.ts';

/** How to generate, whichever of the two doors asked. */
export interface Sampling {
  readonly maxTokens: number | null;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly jsonSchema: Record<string, unknown> | null;
}

export interface EngineRequest {
  readonly kind: 'chat' | 'text';
  readonly messages: readonly ChatMessage[];
  readonly prompt: string;
  readonly sampling: Sampling;
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

const part = z.object({ type: z.string(), text: z.string().optional() });
const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(part), z.null()]).optional(),
});
const optional = <T extends z.ZodType>(type: T) => type.nullish();
const sampling = {
  max_tokens: optional(z.number().int().min(0)),
  max_completion_tokens: optional(z.number().int().min(0)),
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  top_k: optional(z.number().int().min(0).max(1000)),
  min_p: optional(z.number().min(0).max(1)),
  seed: optional(z.number().int()),
  stop: optional(z.union([z.string().max(500), z.array(z.string().max(500)).max(16)])),
  presence_penalty: optional(z.number().min(-2).max(2)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  n: optional(z.number().int()),
  logprobs: optional(z.union([z.boolean(), z.number()])),
  echo: optional(z.boolean()),
  tools: optional(z.array(z.unknown())),
  response_format: optional(
    z.object({
      type: z.enum(['text', 'json_object', 'json_schema']),
      json_schema: z.object({ schema: z.record(z.string(), z.unknown()).optional() }).optional(),
    }),
  ),
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
};
const chatBody = z.object({ messages: z.array(message).min(1).max(10_000), ...sampling });
const textBody = z.object({ prompt: z.union([z.string(), z.array(z.string()).length(1)]), ...sampling });
type Body = Omit<z.infer<typeof chatBody>, 'messages'>;

/**
 * Reads the body of /v1/chat/completions or /v1/completions. Keys it does not know are ignored, as OpenAI clients
 * expect; what this engine cannot do is refused (400) and never silently left out.
 */
export function readRequest(kind: 'chat' | 'text', text: string): EngineRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'invalid_json', 'the request body is not valid JSON');
  }
  const body = parse<Body>(kind === 'chat' ? chatBody : textBody, value);
  refuseWhatWeCannot(body);
  return {
    kind,
    messages: kind === 'chat' ? parse(chatBody, value).messages.map(flatten) : [],
    prompt: kind === 'text' ? [parse(textBody, value).prompt].flat().join('') : '',
    sampling: samplingOf(body),
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal(400, 'invalid_input', `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'invalid'}`);
}

function refuseWhatWeCannot(body: Body): void {
  if ((body.n ?? 1) !== 1)
    throw new Refusal(400, 'unsupported', '"n": this engine gives one answer per request');
  if (body.logprobs) throw new Refusal(400, 'unsupported', '"logprobs" are not available from this engine');
  if (body.echo) throw new Refusal(400, 'unsupported', '"echo" is not available from this engine');
  if (body.tools?.length) throw new Refusal(400, 'unsupported', '"tools": this engine does not call tools');
}

function flatten(m: z.infer<typeof message>): ChatMessage {
  const { content } = m;
  const role = m.role === 'developer' ? 'system' : m.role;
  if (content === null || content === undefined) return { role, content: '' };
  if (typeof content === 'string') return { role, content };
  const foreign = content.find((p) => p.type !== 'text');
  if (foreign)
    throw new Refusal(400, 'unsupported', `content of type "${foreign.type}": this model reads text only`);
  return { role, content: content.map((p) => p.text ?? '').join('') };
}

function samplingOf(body: Body): Sampling {
  const format = body.response_format;
  return {
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
    temperature: body.temperature ?? 0.8,
    topP: body.top_p ?? 0.95,
    topK: body.top_k ?? 40,
    minP: body.min_p ?? 0.05,
    seed: body.seed === null || body.seed === undefined ? undefined : Math.abs(body.seed) % 2 ** 32,
    stop: body.stop ? [body.stop].flat() : [],
    presencePenalty: body.presence_penalty ?? 0,
    frequencyPenalty: body.frequency_penalty ?? 0,
    jsonSchema:
      format?.type === 'json_schema'
        ? (format.json_schema?.schema ?? {})
        : format?.type === 'json_object'
          ? {}
          : null,
  };
}
