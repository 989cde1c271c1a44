import type { Json, JsonObject } from '#lib/base/json.ts';
import type { BaseModelRelation } from './types.ts';

/** The fields of a card that the catalog uses, each in one shape whatever way its author wrote it. */
export interface CardFields {
  readonly pipelineTag: string | null;
  readonly libraryName: string | null;
  readonly license: string | null;
  readonly languages: readonly string[];
  readonly tags: readonly string[];
  readonly datasets: readonly string[];
  readonly baseModels: readonly string[];
  readonly relation: BaseModelRelation | null;
  /** Dataset cards only. */
  readonly taskCategories: readonly string[];
  readonly taskIds: readonly string[];
  readonly sizeCategories: readonly string[];
  readonly hasModelIndex: boolean;
}

const MAX_ITEMS = 200;
const MAX_CHARS = 128;

/** Reads the known fields out of untrusted front matter. Total: a field of the wrong type counts as absent. */
export function cardFields(card: JsonObject): CardFields {
  return {
    pipelineTag: oneText(card.pipeline_tag),
    libraryName: oneText(card.library_name),
    license: texts(card.license)[0] ?? null,
    languages: texts(card.language),
    tags: texts(card.tags),
    datasets: texts(card.datasets),
    baseModels: texts(card.base_model),
    relation: relationOf(card.base_model_relation),
    taskCategories: texts(card.task_categories),
    taskIds: texts(card.task_ids),
    sizeCategories: texts(card.size_categories),
    hasModelIndex: Array.isArray(card['model-index']),
  };
}

function oneText(value: Json | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_CHARS ? value.trim() : null;
}

/** A string or a list of scalars as distinct short strings. */
function texts(value: Json | undefined): string[] {
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  const found = new Set<string>();
  for (const item of list) {
    if (found.size >= MAX_ITEMS) break;
    if (typeof item !== 'string' && typeof item !== 'number') continue;
    const text = oneText(String(item));
    if (text !== null) found.add(text);
  }
  return [...found];
}

function relationOf(value: Json | undefined): BaseModelRelation | null {
  return value === 'finetune' || value === 'adapter' || value === 'merge' || value === 'quantized'
    ? value
    : null;
}
