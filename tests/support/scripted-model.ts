import { type GgufTensor, type GgufValue, writeGguf } from './gguf-writer.ts';

/** What the default scripted model answers to every chat. */
export const SCRIPTED_SENTENCE = 'Hello from the scripted model: endpoints work 🙂 and bytes join.';

const SENTENCE_PARTS = [
  'Hello',
  ' from',
  ' the',
  ' scripted',
  ' model:',
  ' endpoints',
  ' work',
  ' ',
  { bytes: '🙂' },
  ' and',
  ' bytes',
  ' join.',
] as const;

type Part = string | { readonly bytes: string };

export interface ScriptedModelOptions {
  /** Distinct pieces, one token each; `{ bytes }` is spelled in single-byte tokens to show that joins are right. */
  parts?: readonly Part[];
  /** After the last piece start again instead of ending: for abort and max_tokens tests. */
  endless?: boolean;
  /** Give two tokens the same text: real engines abort the whole process on such a file. */
  duplicateToken?: boolean;
  contextLength?: number;
  chatTemplate?: string | null;
}

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

const END_TOKEN = 4;
const FIRST_BYTE_TOKEN = 5;

/**
 * A real Llama in GGUF (about 1.4 MB) whose next token depends on the current one alone: embeddings are one-hot,
 * attention and feed-forward are zero, and the output head is a permutation. Any engine that runs Llama answers
 * every prompt with the same sentence, at any temperature.
 */
export function scriptedModel(options: ScriptedModelOptions = {}): Buffer {
  const parts = options.parts ?? SENTENCE_PARTS;
  const vocab = vocabulary(parts);
  if (options.duplicateToken) vocab.tokens[vocab.tokens.length - 1] = vocab.tokens[FIRST_BYTE_TOKEN] ?? '';
  const script = parts.flatMap((part) => tokensOf(part, vocab.tokens));
  const first = script[0] ?? END_TOKEN;
  const size = vocab.tokens.length;
  const dim = Math.ceil(size / 64) * 64;
  const next = Array.from({ length: size }, () => first);
  script.forEach((token, i) => {
    next[token] = script[i + 1] ?? (options.endless ? first : END_TOKEN);
  });
  return writeGguf(metadata(vocab, dim, options), tensors(next, size, dim));
}

interface Vocabulary {
  tokens: string[];
  scores: number[];
  types: number[];
}

/** SentencePiece-like with byte fallback; types: 1 normal, 2 unknown, 3 control, 6 byte. */
function vocabulary(parts: readonly Part[]): Vocabulary {
  const v: Vocabulary = { tokens: [], scores: [], types: [] };
  const add = (token: string, score: number, type: number) => {
    v.tokens.push(token);
    v.scores.push(score);
    v.types.push(type);
  };
  add('<unk>', 0, 2);
  for (const control of ['<s>', '</s>', '<|im_start|>', '<|im_end|>']) add(control, 0, 3);
  for (let byte = 0; byte < 256; byte++) add(byteToken(byte), 0, 6);
  for (let code = 33; code < 127; code++) add(String.fromCharCode(code), -1000 - code, 1);
  for (const part of parts) if (typeof part === 'string') add(part.replaceAll(' ', '▁'), -10, 1);
  if (!v.tokens.includes('▁')) add('▁', -1000, 1);
  return v;
}

const byteToken = (byte: number) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;

function tokensOf(part: Part, tokens: readonly string[]): number[] {
  if (typeof part === 'string') return [tokens.indexOf(part.replaceAll(' ', '▁'))];
  return [...Buffer.from(part.bytes, 'utf8')].map((byte) => FIRST_BYTE_TOKEN + byte);
}

function metadata(vocab: Vocabulary, dim: number, options: ScriptedModelOptions): Map<string, GgufValue> {
  const u32 = (value: number): GgufValue => ({ type: 'u32', value });
  const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
  const text = (value: string): GgufValue => ({ type: 'string', value });
  const map = new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ['general.name', text('scripted')],
    ['general.license', text('cc0-1.0')],
    ['general.file_type', u32(1)],
    ['llama.context_length', u32(options.contextLength ?? 4096)],
    ['llama.embedding_length', u32(dim)],
    ['llama.block_count', u32(1)],
    ['llama.feed_forward_length', u32(64)],
    ['llama.attention.head_count', u32(dim / 64)],
    ['llama.attention.head_count_kv', u32(1)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
    ['llama.rope.dimension_count', u32(64)],
    ['llama.rope.freq_base', { type: 'f32', value: 10_000 }],
    ['llama.vocab_size', u32(vocab.tokens.length)],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.pre', text('default')],
    ['tokenizer.ggml.tokens', { type: 'strings', value: vocab.tokens }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: vocab.scores }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: vocab.types }],
    ['tokenizer.ggml.bos_token_id', u32(1)],
    ['tokenizer.ggml.eos_token_id', u32(END_TOKEN)],
    ['tokenizer.ggml.unknown_token_id', u32(0)],
    ['tokenizer.ggml.add_bos_token', bool(true)],
    ['tokenizer.ggml.add_eos_token', bool(false)],
    ['tokenizer.ggml.add_space_prefix', bool(false)],
  ]);
  const template = options.chatTemplate === undefined ? CHATML : options.chatTemplate;
  if (template !== null) map.set('tokenizer.chat_template', text(template));
  return map;
}

function tensors(next: readonly number[], size: number, dim: number): GgufTensor[] {
  const kv = 64;
  const ff = 64;
  const embedding = new Float32Array(size * dim);
  const head = new Float32Array(size * dim);
  next.forEach((follower, token) => {
    embedding[token * dim + token] = 1;
    head[follower * dim + token] = 1;
  });
  const zero = (name: string, rows: number, columns: number): GgufTensor => ({
    name,
    shape: [rows, columns],
    data: new Float32Array(rows * columns),
    as: 'f16',
  });
  const ones = (name: string): GgufTensor => ({
    name,
    shape: [dim],
    data: new Float32Array(dim).fill(1),
    as: 'f32',
  });
  return [
    { name: 'token_embd.weight', shape: [size, dim], data: embedding, as: 'f16' },
    ones('blk.0.attn_norm.weight'),
    zero('blk.0.attn_q.weight', dim, dim),
    zero('blk.0.attn_k.weight', kv, dim),
    zero('blk.0.attn_v.weight', kv, dim),
    zero('blk.0.attn_output.weight', dim, dim),
    ones('blk.0.ffn_norm.weight'),
    zero('blk.0.ffn_gate.weight', ff, dim),
    zero('blk.0.ffn_up.weight', ff, dim),
    zero('blk.0.ffn_down.weight', dim, ff),
    ones('output_norm.weight'),
    { name: 'output.weight', shape: [size, dim], data: head, as: 'f16' },
  ];
}
