import {
  type GbnfJsonSchema,
  getLlama,
  type Llama,
  type LlamaContextSequence,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import { Refusal } from '../refusal.ts';
import { createChatPrompt } from './chat-prompt.ts';
import type { EngineRequest, Sampling } from './openai-request.ts';
import { SequencePool } from './sequence-pool.ts';
import { TextJoiner } from './text-joiner.ts';

export interface LoadOptions {
  readonly modelPath: string;
  readonly threads: number;
  /** Tokens per request, prompt and answer together; less when the model was trained on less. */
  readonly contextSize: number;
  readonly parallel: number;
  readonly log: (line: string) => void;
}

export type Piece =
  | { kind: 'prompt'; tokens: number; cachedTokens: number }
  | { kind: 'text'; text: string }
  | { kind: 'end'; reason: 'stop' | 'length'; tokens: number };

export interface LoadedModel {
  readonly contextSize: number;
  /** Generates; stops within one token (or one prompt chunk) of an abort. Throws Refusal for what cannot be done. */
  generate(request: EngineRequest, signal: AbortSignal): AsyncGenerator<Piece>;
}

/** Prompt tokens per step: the longest time between two looks at the abort signal. */
const PROMPT_CHUNK = 256;
const MAX_WAITING = 64;

/**
 * Loads a GGUF on the CPU from prebuilt binaries only: nothing is downloaded or compiled. Throws when the file
 * cannot be loaded; a file that is broken inside may instead abort the whole process, so never call this in a
 * process that does anything else.
 */
export async function loadLlamaModel(options: LoadOptions): Promise<LoadedModel> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    maxThreads: options.threads,
    logLevel: LlamaLogLevel.warn,
    logger: (_level, message) => options.log(`llama.cpp: ${message.trim()}`),
  });
  const model = await llama.loadModel({ modelPath: options.modelPath });
  const context = await model.createContext({
    contextSize: {
      min: 64,
      max: Math.min(options.contextSize, model.trainContextSize || options.contextSize),
    },
    sequences: options.parallel,
    threads: options.threads,
  });
  const sequences = Array.from({ length: options.parallel }, () => context.getSequence());
  const pool = new SequencePool<Token, LlamaContextSequence>(sequences, MAX_WAITING);
  const toPrompt = createChatPrompt({
    template: model.fileInfo.metadata.tokenizer?.chat_template,
    bosText: model.tokens.bosString ?? '',
    eosText: model.tokens.eosString ?? '',
    warn: options.log,
  });
  const tokenize = (request: EngineRequest) =>
    withBos(
      model,
      model.tokenize(request.kind === 'chat' ? toPrompt(request.messages) : request.prompt, true),
    );
  return {
    contextSize: context.contextSize,
    generate: (request, signal) =>
      generate(
        { llama, model, pool, contextSize: context.contextSize },
        tokenize(request),
        request.sampling,
        signal,
      ),
  };
}

interface Parts {
  llama: Llama;
  model: LlamaModel;
  pool: SequencePool<Token, LlamaContextSequence>;
  contextSize: number;
}

/** Templates that write the BOS token themselves must not get a second one. */
function withBos(model: LlamaModel, tokens: Token[]): Token[] {
  const { bos, shouldPrependBosToken } = model.tokens;
  if (!shouldPrependBosToken || bos === null || tokens[0] === bos) return tokens;
  return [bos, ...tokens];
}

async function* generate(
  parts: Parts,
  prompt: Token[],
  sampling: Sampling,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const { model, pool, contextSize } = parts;
  const last = prompt.at(-1);
  if (last === undefined) throw new Refusal(400, 'invalid_input', 'the prompt is empty');
  if (prompt.length >= contextSize) {
    throw new Refusal(
      400,
      'context_length_exceeded',
      `the prompt has ${prompt.length} tokens; this endpoint takes at most ${contextSize} for prompt and answer together`,
    );
  }
  const grammar = await grammarOf(parts.llama, sampling);
  const sequence = await pool.acquire(prompt, signal);
  try {
    await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
    const cachedTokens = sequence.nextTokenIndex;
    yield { kind: 'prompt', tokens: prompt.length, cachedTokens };
    for (let at = cachedTokens; at < prompt.length - 1; at += PROMPT_CHUNK) {
      signal.throwIfAborted();
      await sequence.evaluateWithoutGeneratingNewTokens(
        prompt.slice(at, Math.min(at + PROMPT_CHUNK, prompt.length - 1)),
      );
    }
    signal.throwIfAborted();
    const most = Math.min(sampling.maxTokens ?? contextSize, contextSize - prompt.length);
    yield* answer(model, sequence, last, most, sampling, grammar, signal);
  } finally {
    pool.release(sequence);
  }
}

async function* answer(
  model: LlamaModel,
  sequence: LlamaContextSequence,
  last: Token,
  most: number,
  sampling: Sampling,
  grammar: LlamaGrammar | null,
  signal: AbortSignal,
): AsyncGenerator<Piece> {
  const joiner = new TextJoiner<Token>(
    (tokens, before) => model.detokenize(tokens, false, before),
    sampling.stop,
  );
  const produced: Token[] = [];
  let said = '';
  let reason: 'stop' | 'length' = most === 0 ? 'length' : 'stop';
  if (most > 0) {
    for await (const token of sequence.evaluate(
      [last],
      evaluateOptions(model, sampling, grammar, produced),
    )) {
      signal.throwIfAborted();
      produced.push(token);
      const text = joiner.push(token);
      if (text !== '') yield { kind: 'text', text };
      said += grammar ? text : '';
      if (joiner.stopped || (grammar && isWholeJson(said))) break;
      if (produced.length >= most) {
        reason = 'length';
        break;
      }
    }
  }
  const rest = joiner.end();
  if (rest !== '') yield { kind: 'text', text: rest };
  yield { kind: 'end', reason: joiner.stopped ? 'stop' : reason, tokens: produced.length };
}

/** A grammar allows white space after the value for ever; small models make use of that. */
function isWholeJson(text: string): boolean {
  if (!/[}\]"]\s*$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function evaluateOptions(
  model: LlamaModel,
  s: Sampling,
  grammar: LlamaGrammar | null,
  produced: readonly Token[],
) {
  const punishes = s.presencePenalty !== 0 || s.frequencyPenalty !== 0;
  return {
    temperature: s.temperature,
    topP: s.topP,
    topK: s.topK,
    minP: s.minP,
    ...(s.seed === undefined ? {} : { seed: s.seed }),
    ...(grammar ? { grammarEvaluationState: new LlamaGrammarEvaluationState({ model, grammar }) } : {}),
    ...(punishes
      ? {
          repeatPenalty: {
            punishTokens: () => produced.slice(-256),
            penalty: 1,
            presencePenalty: s.presencePenalty,
            frequencyPenalty: s.frequencyPenalty,
          },
        }
      : {}),
  };
}

async function grammarOf(llama: Llama, sampling: Sampling): Promise<LlamaGrammar | null> {
  const schema = sampling.jsonSchema;
  if (schema === null) return null;
  if (Object.keys(schema).length === 0) return llama.getGrammarFor('json');
  try {
    // Typed loosely: the library's types want a schema known at compile time.
    const create = llama.createGrammarForJsonSchema.bind(llama) as (
      s: GbnfJsonSchema,
    ) => Promise<LlamaGrammar>;
    return await create(schema as GbnfJsonSchema);
  } catch (error) {
    throw new Refusal(
      400,
      'unsupported',
      `"response_format": this JSON schema cannot be enforced: ${(error as Error).message}`,
    );
  }
}
