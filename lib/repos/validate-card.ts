import { isJsonObject, type Json, type JsonObject } from '#lib/base/json.ts';
import { parseFrontMatter } from './front-matter.ts';

export interface CardVerdict {
  /** Why a commit with this README must be refused; empty when it may pass. */
  readonly errors: string[];
  /** What its author may want to mend. */
  readonly warnings: string[];
}

const REPO_ID = /^[\w.-]{1,96}(?:\/[\w.-]{1,96})?$/;
const MAX_MESSAGES = 20;

/**
 * Judges a model or dataset card as the Hub's clients expect of /api/validate-yaml and of every commit that
 * holds a README.md: broken YAML, metadata of the wrong type, ids that are none and an incomplete `model-index`
 * are errors; a card without metadata is a warning. Pure and total.
 */
export function validateCard(text: string): CardVerdict {
  const { data, present, errors } = parseFrontMatter(text);
  if (errors.length > 0) return { errors: errors.map((e) => `YAML metadata: ${e}`), warnings: [] };
  if (!present || Object.keys(data).length === 0)
    return { errors: [], warnings: ['empty or missing yaml metadata in repo card'] };
  const verdict: CardVerdict = { errors: [], warnings: [] };
  for (const [key, check] of CHECKS) {
    const value = data[key];
    if (value !== undefined && value !== null) check(value, key, verdict);
  }
  return {
    errors: verdict.errors.slice(0, MAX_MESSAGES),
    warnings: verdict.warnings.slice(0, MAX_MESSAGES),
  };
}

type Check = (value: Json, key: string, verdict: CardVerdict) => void;

const CHECKS: readonly (readonly [string, Check])[] = [
  ['license', textOrTexts],
  ['license_name', text],
  ['license_link', text],
  ['language', languages],
  ['tags', texts],
  ['pipeline_tag', text],
  ['library_name', text],
  ['datasets', ids],
  ['base_model', ids],
  ['base_model_relation', relation],
  ['task_categories', textOrTexts],
  ['task_ids', textOrTexts],
  ['size_categories', textOrTexts],
  ['model-index', modelIndex],
];

function text(value: Json, key: string, { errors }: CardVerdict): void {
  if (typeof value !== 'string') errors.push(`"${key}" must be a string`);
}

function texts(value: Json, key: string, { errors }: CardVerdict): void {
  if (!Array.isArray(value)) errors.push(`"${key}" must be an array`);
  else
    value.forEach((item, i) => {
      if (!isScalar(item)) errors.push(`"${key}[${i}]" must be a string`);
    });
}

function textOrTexts(value: Json, key: string, verdict: CardVerdict): void {
  if (Array.isArray(value)) texts(value, key, verdict);
  else if (!isScalar(value)) verdict.errors.push(`"${key}" must be a string or an array of strings`);
}

function languages(value: Json, key: string, verdict: CardVerdict): void {
  textOrTexts(value, key, verdict);
  for (const item of Array.isArray(value) ? value : [value]) {
    if (typeof item === 'string' && !/^[a-z]{2,8}(?:[-_][A-Za-z0-9]{2,8})*$/.test(item))
      verdict.warnings.push(`"${key}" ${JSON.stringify(item)} should be an ISO 639 code such as en or zh`);
  }
}

function ids(value: Json, key: string, verdict: CardVerdict): void {
  const list = Array.isArray(value) ? value : [value];
  list.forEach((item, i) => {
    const where = Array.isArray(value) ? `${key}[${i}]` : key;
    if (typeof item !== 'string') verdict.errors.push(`"${where}" must be a string`);
    else if (!REPO_ID.test(item))
      verdict.errors.push(
        `"${where}" with value ${JSON.stringify(item)} is not valid: use an id like namespace/name`,
      );
  });
}

const RELATIONS = ['finetune', 'adapter', 'merge', 'quantized'];

function relation(value: Json, key: string, { errors }: CardVerdict): void {
  if (typeof value !== 'string' || !RELATIONS.includes(value))
    errors.push(`"${key}" must be one of [${RELATIONS.join(', ')}]`);
}

function modelIndex(value: Json, key: string, { errors }: CardVerdict): void {
  if (!Array.isArray(value)) {
    errors.push(`"${key}" must be an array`);
    return;
  }
  value.forEach((model, i) => {
    const at = `${key}[${i}]`;
    if (!isJsonObject(model)) {
      errors.push(`"${at}" must be an object`);
      return;
    }
    requireText(model, 'name', at, errors);
    if (!Array.isArray(model.results)) errors.push(`"${at}.results" must be an array`);
    else model.results.forEach((result, j) => evaluation(result, `${at}.results[${j}]`, errors));
  });
}

/** One evaluation: what was asked (task), of what (dataset), and the numbers (metrics). */
function evaluation(value: Json, at: string, errors: string[]): void {
  if (!isJsonObject(value)) {
    errors.push(`"${at}" must be an object`);
    return;
  }
  requireObject(value, 'task', ['type'], at, errors);
  requireObject(value, 'dataset', ['type', 'name'], at, errors);
  if (!Array.isArray(value.metrics)) {
    errors.push(`"${at}.metrics" must be an array`);
    return;
  }
  value.metrics.forEach((metric, i) => {
    const where = `${at}.metrics[${i}]`;
    if (!isJsonObject(metric)) {
      errors.push(`"${where}" must be an object`);
      return;
    }
    requireText(metric, 'type', where, errors);
    if (metric.value === undefined) errors.push(`"${where}.value" is required`);
  });
}

function requireObject(parent: JsonObject, key: string, keys: string[], at: string, errors: string[]): void {
  const value = parent[key];
  if (value === undefined) errors.push(`"${at}.${key}" is required`);
  else if (!isJsonObject(value)) errors.push(`"${at}.${key}" must be an object`);
  else for (const inner of keys) requireText(value, inner, `${at}.${key}`, errors);
}

function requireText(parent: JsonObject, key: string, at: string, errors: string[]): void {
  const value = parent[key];
  if (value === undefined || value === null) errors.push(`"${at}.${key}" is required`);
  else if (!isScalar(value)) errors.push(`"${at}.${key}" must be a string`);
}

/** Plain text, or a number or boolean that YAML read out of it (`tags: [2024]`). */
function isScalar(value: Json): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
