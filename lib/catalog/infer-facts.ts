import { isJsonObject, type JsonObject } from '#lib/base/json.ts';
import type { CardFields } from './card-fields.ts';
import type { BaseModelRelation, GgufFacts } from './types.ts';

/** What can be told about a model from its file names and its config.json. */
export interface InferredFacts {
  readonly formats: readonly string[];
  readonly libraryName: string | null;
  readonly pipelineTag: string | null;
}

const FORMAT_BY_NAME: readonly (readonly [string, RegExp])[] = [
  ['safetensors', /\.safetensors$/],
  ['gguf', /\.gguf$/],
  ['onnx', /\.onnx$/],
  ['pytorch', /(?:^|\/)(?:pytorch_model.*\.bin|.*\.(?:pt|pth|ckpt))$/],
  ['tf', /(?:^|\/)tf_model.*\.h5$/],
  ['jax', /(?:^|\/)flax_model.*\.msgpack$/],
  ['tensorboard', /(?:^|\/)events\.out\.tfevents\./],
  ['openvino', /(?:^|\/)openvino_model.*\.xml$/],
  ['coreml', /\.(?:mlmodel|mlpackage\/Manifest\.json)$/],
];

/** Architecture suffix of config.json -> task, most specific first. */
const TASK_BY_ARCHITECTURE: readonly (readonly [RegExp, string])[] = [
  [/For(?:CausalLM|Generation)$|LMHeadModel$/, 'text-generation'],
  [/ForMaskedLM$/, 'fill-mask'],
  [/ForSequenceClassification$/, 'text-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForImageClassification$/, 'image-classification'],
  [/ForObjectDetection$/, 'object-detection'],
  [/ForSpeechSeq2Seq$|ForCTC$|^WhisperFor/, 'automatic-speech-recognition'],
  [/ForAudioClassification$/, 'audio-classification'],
  [/^T5|^MT5|^Bart|^MBart|^Pegasus/, 'translation'],
];

/** Infers formats, library and task. Pure; the card, where it speaks, goes before all of this. */
export function inferFacts(
  paths: readonly string[],
  config: JsonObject | null,
  gguf: GgufFacts | null,
): InferredFacts {
  const formats = FORMAT_BY_NAME.filter(([, pattern]) => paths.some((path) => pattern.test(path))).map(
    ([format]) => format,
  );
  return {
    formats,
    libraryName: inferLibrary(new Set(paths), config),
    pipelineTag: inferTask(new Set(paths), config) ?? taskOfGguf(gguf),
  };
}

function inferLibrary(paths: ReadonlySet<string>, config: JsonObject | null): string | null {
  if (paths.has('adapter_config.json')) return 'peft';
  if (paths.has('model_index.json')) return 'diffusers';
  if (paths.has('modules.json') && paths.has('config_sentence_transformers.json'))
    return 'sentence-transformers';
  if (typeof config?.model_type === 'string') return 'transformers';
  return null;
}

function inferTask(paths: ReadonlySet<string>, config: JsonObject | null): string | null {
  if (paths.has('config_sentence_transformers.json')) return 'sentence-similarity';
  const architecture = Array.isArray(config?.architectures) ? config.architectures[0] : undefined;
  if (typeof architecture !== 'string') return null;
  return TASK_BY_ARCHITECTURE.find(([pattern]) => pattern.test(architecture))?.[1] ?? null;
}

/** What a GGUF is for: texts with a chat template are generated, BERTs embed; of others nothing is claimed. */
function taskOfGguf(gguf: GgufFacts | null): string | null {
  if (gguf === null) return null;
  if (/bert|embed/i.test(gguf.architecture)) return 'feature-extraction';
  return gguf.chat_template ? 'text-generation' : null;
}

/** How a model came from its base models: said by the card, else read off its files. */
export function inferRelation(
  card: CardFields,
  paths: readonly string[],
  formats: readonly string[],
): BaseModelRelation | null {
  if (card.baseModels.length === 0) return null;
  if (card.relation) return card.relation;
  if (paths.includes('adapter_config.json')) return 'adapter';
  if (card.baseModels.length > 1) return 'merge';
  const onlyGguf = formats.includes('gguf') && !formats.includes('safetensors');
  return onlyGguf ? 'quantized' : 'finetune';
}

/** The part of config.json and tokenizer_config.json that the Hub shows; null when there is no config.json. */
export function configExcerpt(config: JsonObject | null, tokenizer: JsonObject | null): JsonObject | null {
  if (!config) return null;
  const excerpt: JsonObject = {};
  for (const key of ['architectures', 'model_type', 'auto_map']) {
    const value = config[key];
    if (value !== undefined) excerpt[key] = value;
  }
  if (isJsonObject(config.quantization_config)) {
    const method = config.quantization_config;
    excerpt.quantization_config = {};
    for (const key of ['quant_method', 'bits', 'load_in_4bit', 'load_in_8bit']) {
      const value = method[key];
      if (value !== undefined) excerpt.quantization_config[key] = value;
    }
  }
  if (tokenizer) {
    excerpt.tokenizer_config = {};
    for (const key of ['bos_token', 'eos_token', 'pad_token', 'unk_token', 'mask_token', 'chat_template']) {
      const value = tokenizer[key];
      if (value !== undefined) excerpt.tokenizer_config[key] = value;
    }
  }
  return excerpt;
}
