import { isJsonObject, type JsonObject } from '#lib/base/json.ts';
import type { RepoType } from '#lib/repos/types.ts';
import type { CardFields } from './card-fields.ts';
import type { BaseModelRelation, GgufFacts } from './types.ts';

export interface TagSources {
  readonly type: RepoType;
  readonly card: CardFields;
  /** The README below its metadata: arXiv and DOI links are read from it. */
  readonly body: string;
  readonly formats: readonly string[];
  readonly libraryName: string | null;
  readonly pipelineTag: string | null;
  readonly config: JsonObject | null;
  readonly gguf: GgufFacts | null;
  readonly relation: BaseModelRelation | null;
}

const MAX_TAGS = 500;

/** Composes the flat tag list by which clients filter (hf-api §5.3). Pure; distinct, in a stable order. */
export function composeTags(sources: TagSources): string[] {
  const tags = sources.type === 'model' ? modelTags(sources) : datasetTags(sources);
  return [...new Set(tags)].filter((tag) => tag.length <= 160).slice(0, MAX_TAGS);
}

function modelTags(sources: TagSources): string[] {
  const { card, config, formats, gguf, relation } = sources;
  const tags: (string | null | undefined | false)[] = [
    sources.libraryName,
    ...formats,
    typeof config?.model_type === 'string' && config.model_type,
    sources.pipelineTag,
    ...card.tags,
    card.hasModelIndex && 'model-index',
    hasChatTemplate(config, gguf) && 'conversational',
    config?.auto_map !== undefined && 'custom_code',
    ...quantizationTags(config),
    ...card.languages,
    ...card.datasets.map((id) => `dataset:${id}`),
    ...paperTags(sources.body),
    ...card.baseModels.flatMap((id) => [`base_model:${id}`, relation && `base_model:${relation}:${id}`]),
    card.license && `license:${card.license}`,
  ];
  return tags.filter((tag): tag is string => typeof tag === 'string' && tag !== '');
}

function datasetTags({ card, body }: TagSources): string[] {
  return [
    ...card.taskCategories.map((task) => `task_categories:${task}`),
    ...card.taskIds.map((task) => `task_ids:${task}`),
    ...card.languages.map((language) => `language:${language}`),
    ...(card.license ? [`license:${card.license}`] : []),
    ...card.sizeCategories.map((size) => `size_categories:${size}`),
    ...paperTags(body),
    ...card.tags,
  ];
}

function hasChatTemplate(config: JsonObject | null, gguf: GgufFacts | null): boolean {
  if (gguf?.chat_template) return true;
  return isJsonObject(config?.tokenizer_config) && config.tokenizer_config.chat_template !== undefined;
}

function quantizationTags(config: JsonObject | null): string[] {
  const quantization = config?.quantization_config;
  if (!isJsonObject(quantization)) return [];
  const { quant_method: method, bits, load_in_4bit: four, load_in_8bit: eight } = quantization;
  const tags: string[] = [];
  if (bits === 4 || four === true) tags.push('4-bit');
  if (bits === 8 || eight === true) tags.push('8-bit');
  if (typeof method === 'string') tags.push(method);
  return tags;
}

function paperTags(body: string): string[] {
  const tags: string[] = [];
  for (const match of body.matchAll(/\barxiv\.org\/(?:abs|pdf)\/(\d{4}\.\d{4,5})\b/gi)) {
    tags.push(`arxiv:${match[1]}`);
    if (tags.length >= 50) break;
  }
  for (const match of body.matchAll(/\bdoi\.org\/(10\.\d{4,9}\/[\w.()/:-]{1,100})/gi)) {
    tags.push(`doi:${match[1]?.replace(/[.)]+$/, '')}`);
    if (tags.length >= 60) break;
  }
  return tags;
}
