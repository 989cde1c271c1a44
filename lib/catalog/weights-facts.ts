import { isHubError } from '#lib/base/errors.ts';
import { isJsonObject } from '#lib/base/json.ts';
import type { App } from '#lib/identity/context.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import type { Repo, TreeEntry } from '#lib/repos/types.ts';
import { type GgufHeader, readGgufHeader } from './read-gguf-header.ts';
import { type ReadRange, readRange } from './read-range.ts';
import { readSafetensorsHeader } from './read-safetensors-header.ts';
import type { GgufFacts, SafetensorsFacts } from './types.ts';

export interface WeightsFacts {
  readonly safetensors: SafetensorsFacts | null;
  readonly gguf: GgufFacts | null;
  /** False when a file could not be read for reasons outside the file. */
  readonly complete: boolean;
}

const INDEX = 'model.safetensors.index.json';
const MAX_SHARDS = 200;
const PARALLEL_READS = 4;
const MAX_TEMPLATE_CHARS = 200_000;

/**
 * What the headers of a model's weights say: parameter counts of its safetensors (all shards of the index) and
 * the metadata of its first GGUF. A file that is not what its name says gives null.
 */
export async function weightsFacts(
  app: App,
  repo: Repo,
  byPath: ReadonlyMap<string, TreeEntry>,
  signal?: AbortSignal,
): Promise<WeightsFacts> {
  try {
    const [safetensors, gguf] = await Promise.all([
      safetensorsFacts(app, repo, byPath, signal),
      ggufFacts(app, repo, byPath, signal),
    ]);
    return { safetensors, gguf, complete: true };
  } catch (error) {
    app.log.warn({ err: error, repo: repo.id }, 'headers of weights could not be read');
    return { safetensors: null, gguf: null, complete: false };
  }
}

/** A reader of one entry, large or small; null when this repo does not hold its bytes. */
async function readerOf(
  app: App,
  repo: Repo,
  entry: TreeEntry,
  signal?: AbortSignal,
): Promise<ReadRange | null> {
  if (!entry.lfs) {
    const bytes = await readBlob(app.db, repo.id, entry.oid);
    return async (start, end) => bytes.subarray(start, end + 1);
  }
  const file = (await findFiles(app.db, repo.id, [entry.lfs.sha256])).get(entry.lfs.sha256);
  return file ? readRange(app, file, signal) : null;
}

/** Runs a header parser; what is wrong with the file itself is null, anything else is thrown. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isHubError(error) && error.code === 'invalid_object') return null;
    throw error;
  }
}

async function safetensorsFacts(
  app: App,
  repo: Repo,
  byPath: ReadonlyMap<string, TreeEntry>,
  signal?: AbortSignal,
): Promise<SafetensorsFacts | null> {
  const names = byPath.has('model.safetensors')
    ? ['model.safetensors']
    : byPath.has(INDEX)
      ? await shardNames(app, repo, byPath)
      : ['adapter_model.safetensors', 'diffusion_pytorch_model.safetensors'].filter((n) => byPath.has(n));
  if (names.length === 0) return null;
  const parameters: Record<string, number> = {};
  let total = 0;
  for (let i = 0; i < names.length; i += PARALLEL_READS) {
    const headers = await Promise.all(
      names.slice(i, i + PARALLEL_READS).map(async (name) => {
        const entry = byPath.get(name);
        const read = entry ? await readerOf(app, repo, entry, signal) : null;
        return entry && read ? orNull(readSafetensorsHeader(read, entry.sizeBytes)) : null;
      }),
    );
    for (const header of headers) {
      if (!header) return null; // a shard is missing or broken: half a count would be a lie
      total += header.total;
      for (const [dtype, count] of Object.entries(header.parameters))
        parameters[dtype] = (parameters[dtype] ?? 0) + count;
    }
  }
  return { parameters, total };
}

/** Distinct shard names of the index, [] when it is not readable as one. */
async function shardNames(app: App, repo: Repo, byPath: ReadonlyMap<string, TreeEntry>): Promise<string[]> {
  const entry = byPath.get(INDEX);
  if (!entry || entry.lfs) return [];
  try {
    const index: unknown = JSON.parse((await readBlob(app.db, repo.id, entry.oid)).toString('utf8'));
    const map = isJsonObject(index) ? index.weight_map : undefined;
    if (!isJsonObject(map)) return [];
    const names = new Set(Object.values(map).filter((name): name is string => typeof name === 'string'));
    return names.size <= MAX_SHARDS ? [...names] : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

async function ggufFacts(
  app: App,
  repo: Repo,
  byPath: ReadonlyMap<string, TreeEntry>,
  signal?: AbortSignal,
): Promise<GgufFacts | null> {
  const entry = [...byPath.values()].find((e) => /\.gguf$/i.test(e.path) && !/mmproj/i.test(e.path));
  const read = entry ? await readerOf(app, repo, entry, signal) : null;
  if (!entry || !read) return null;
  const header = await orNull(readGgufHeader(read, entry.sizeBytes));
  return header ? factsOfHeader(header) : null;
}

async function factsOfHeader(header: GgufHeader): Promise<GgufFacts> {
  const text = (key: string) => {
    const value = header.metadata[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const architecture = text('general.architecture') ?? 'unknown';
  const contextLength = header.metadata[`${architecture}.context_length`];
  const template = text('tokenizer.chat_template');
  const token = async (key: string) => {
    const id = header.metadata[key];
    return typeof id === 'number' ? ((await header.tokenText(id)) ?? undefined) : undefined;
  };
  const facts: Record<string, string | number | undefined> = {
    context_length: typeof contextLength === 'number' ? contextLength : undefined,
    chat_template: template?.replaceAll('\0', '').slice(0, MAX_TEMPLATE_CHARS).toWellFormed(),
    bos_token: await token('tokenizer.ggml.bos_token_id'),
    eos_token: await token('tokenizer.ggml.eos_token_id'),
    quantize_imatrix_file: text('quantize.imatrix.file'),
  };
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { total: header.total, architecture: architecture.slice(0, 64), ...known };
}
