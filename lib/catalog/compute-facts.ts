import { isHubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { isJsonObject, type Json, type JsonObject, toJson } from '#lib/base/json.ts';
import type { App } from '#lib/identity/context.ts';
import { parseFrontMatter } from '#lib/repos/front-matter.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import type { Repo, TreeEntry } from '#lib/repos/types.ts';
import { cardFields } from './card-fields.ts';
import { composeTags } from './compose-tags.ts';
import { selectUsedStorage } from './db.ts';
import { configExcerpt, inferFacts, inferRelation } from './infer-facts.ts';
import { listFiles } from './list-files.ts';
import type { RepoFacts } from './types.ts';
import { type WeightsFacts, weightsFacts } from './weights-facts.ts';

const MAX_TEXT_BYTES = 4 * 1024 * 1024;
const MAX_FILES = 100_000;

export interface ComputedFacts {
  readonly facts: RepoFacts;
  /** False when a large file could not be read: the facts lack what its header says. */
  readonly complete: boolean;
}

/**
 * Reads the facts of one commit from its tree, its small files and the headers of its weights (by range). Total
 * over the repo's content: a broken card, config or model file only leaves its own facts empty.
 */
export async function computeFacts(
  app: App,
  repo: Repo,
  commitOid: Oid,
  signal?: AbortSignal,
): Promise<ComputedFacts> {
  const entries = await listFiles(app, repo, commitOid, MAX_FILES);
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const [readme, config, tokenizer, usedStorageBytes] = await Promise.all([
    readText(app, repo, byPath.get('README.md')),
    readJson(app, repo, byPath.get('config.json')),
    readJson(app, repo, byPath.get('tokenizer_config.json')),
    selectUsedStorage(app.db, repo.id),
  ]);
  if (tokenizer && byPath.has('chat_template.jinja')) tokenizer.chat_template ??= 'chat_template.jinja';
  const weights: WeightsFacts =
    repo.type === 'model'
      ? await weightsFacts(app, repo, byPath, signal)
      : { safetensors: null, gguf: null, complete: true };
  const { data: card, body } = parseFrontMatter(readme);
  const fields = cardFields(card);
  const paths = entries.map((entry) => entry.path);
  const inferred = inferFacts(paths, repo.type === 'model' ? config : null, weights.gguf);
  const excerpt = repo.type === 'model' ? configExcerpt(config, tokenizer) : null;
  const pipelineTag = fields.pipelineTag ?? inferred.pipelineTag;
  const libraryName = fields.libraryName ?? inferred.libraryName;
  const facts: RepoFacts = {
    commitOid,
    card,
    pipelineTag,
    libraryName,
    license: fields.license,
    languages: fields.languages,
    baseModels: fields.baseModels,
    config: excerpt,
    safetensors: weights.safetensors,
    gguf: weights.gguf,
    parameters: weights.safetensors?.total ?? weights.gguf?.total ?? null,
    formats: inferred.formats,
    usedStorageBytes,
    tags: composeTags({
      type: repo.type,
      card: fields,
      body,
      formats: inferred.formats,
      libraryName,
      pipelineTag,
      config: excerpt,
      gguf: weights.gguf,
      relation: inferRelation(fields, paths, inferred.formats),
    }),
  };
  return { facts, complete: weights.complete };
}

/** Text of a small file; '' when it is absent, a large file, or over the limit. */
async function readText(app: App, repo: Repo, entry: TreeEntry | undefined): Promise<string> {
  if (entry?.type !== 'file' || entry.lfs || entry.sizeBytes > MAX_TEXT_BYTES) return '';
  return (await readBlob(app.db, repo.id, entry.oid)).toString('utf8');
}

async function readJson(app: App, repo: Repo, entry: TreeEntry | undefined): Promise<JsonObject | null> {
  const text = await readText(app, repo, entry);
  if (text === '') return null;
  try {
    const value: Json = toJson(JSON.parse(text), { maxDepth: 40, maxNodes: 200_000 });
    return isJsonObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || isHubError(error)) return null;
    throw error;
  }
}
