import { isJsonObject } from '#lib/base/json.ts';
import type { RepoFacts } from '#lib/catalog/types.ts';
import type { Repo, RepoType, TreeEntry } from '#lib/repos/types.ts';
import { serializeSibling } from './serialize-entry.ts';

/** What a repo's JSON is made from. */
export interface RepoSource {
  readonly repo: Repo;
  /** Commit the answer is about: the revision asked for, else the head. */
  readonly sha: string | null;
  readonly facts: RepoFacts | null;
  /** Files of `sha`; null when they were not asked for. */
  readonly siblings: readonly TreeEntry[] | null;
  /** Whether siblings carry sizes and ids. */
  readonly blobs: boolean;
}

type Field = (source: RepoSource) => unknown;

/** Fields of models and datasets alike. A field that is undefined is left out: null crashes some clients. */
const COMMON = {
  author: ({ repo }) => repo.namespace,
  cardData: ({ facts }) => facts?.card ?? {},
  createdAt: ({ repo }) => repo.createdAt.toISOString(),
  disabled: () => false,
  downloads: ({ repo }) => repo.downloads,
  downloadsAllTime: ({ repo }) => repo.downloads,
  gated: () => false,
  lastModified: ({ repo }) => repo.updatedAt.toISOString(),
  likes: ({ repo }) => repo.likes,
  private: ({ repo }) => repo.visibility === 'private',
  resourceGroup: () => undefined,
  sha: ({ sha }) => sha ?? undefined,
  siblings: ({ siblings, blobs }) => siblings?.map((entry) => serializeSibling(entry, blobs)),
  tags: ({ facts }) => facts?.tags ?? [],
  trendingScore: ({ repo }) => repo.likes,
  usedStorage: ({ facts }) => facts?.usedStorageBytes ?? 0,
  gitalyUid: () => undefined,
  xetEnabled: () => true,
} satisfies Record<string, Field>;

const MODEL = {
  ...COMMON,
  baseModels: ({ facts }) => baseModels(facts),
  childrenModelCount: () => undefined,
  config: ({ facts }) => facts?.config ?? undefined,
  evalResults: () => undefined,
  gguf: ({ facts }) => facts?.gguf ?? undefined,
  inference: () => undefined,
  inferenceProviderMapping: () => [],
  library_name: ({ facts }) => facts?.libraryName ?? undefined,
  mask_token: ({ facts }) => maskToken(facts),
  'model-index': ({ facts }) => facts?.card['model-index'] ?? null,
  pipeline_tag: ({ facts }) => facts?.pipelineTag ?? undefined,
  safetensors: ({ facts }) => facts?.safetensors ?? undefined,
  spaces: () => [],
  transformersInfo: ({ facts }) => transformersInfo(facts),
  widgetData: ({ facts }) => facts?.card.widget,
} satisfies Record<string, Field>;

const DATASET = {
  ...COMMON,
  citation: () => undefined,
  description: () => undefined,
  mainSize: ({ facts }) => facts?.usedStorageBytes,
  paperswithcode_id: ({ facts }) => facts?.card.paperswithcode_id,
} satisfies Record<string, Field>;

const FIELDS: Readonly<Record<RepoType, Readonly<Record<string, Field>>>> = {
  model: MODEL,
  dataset: DATASET,
};
/** Accepted in `expand`, but not named when one is refused: clients compare that list with theirs. */
const UNLISTED = new Set(['gitalyUid', 'xetEnabled']);

const words = (text: string) => text.split(' ');
/** Fields of GET one; list item; additions of `full`. */
const INFO: Readonly<Record<RepoType, readonly string[]>> = {
  model: words(
    'author sha lastModified private gated disabled downloads likes pipeline_tag library_name mask_token tags cardData model-index config transformersInfo safetensors gguf siblings spaces widgetData createdAt usedStorage',
  ),
  dataset: words(
    'author sha lastModified private gated disabled downloads likes tags cardData siblings description citation paperswithcode_id createdAt usedStorage',
  ),
};
const LIST: Readonly<Record<RepoType, readonly string[]>> = {
  model: words('private downloads likes trendingScore tags pipeline_tag library_name createdAt'),
  dataset: words(
    'author private gated disabled downloads likes trendingScore tags sha lastModified createdAt description',
  ),
};
const FULL: Readonly<Record<RepoType, readonly string[]>> = {
  model: words('author sha lastModified gated disabled siblings'),
  dataset: words('cardData siblings paperswithcode_id'),
};

/** Names clients may put into `expand`, as the refusal of an unknown one must list them. */
export function expandable(type: RepoType): string[] {
  return Object.keys(FIELDS[type])
    .filter((name) => !UNLISTED.has(name))
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
}

/** True when `name` may be expanded for this type of repo. */
export function isExpandable(type: RepoType, name: string): boolean {
  return Object.hasOwn(FIELDS[type], name);
}

/** The fields of a full answer about one repo. */
export function infoFields(type: RepoType): readonly string[] {
  return INFO[type];
}

/** The fields of a list item. */
export function listFields(
  type: RepoType,
  ask: { full: boolean; cardData: boolean; config: boolean },
): readonly string[] {
  return [
    ...LIST[type],
    ...(ask.full ? FULL[type] : []),
    ...(ask.cardData && !(ask.full && type === 'dataset') ? ['cardData'] : []),
    ...(ask.config && type === 'model' ? ['config'] : []),
  ];
}

/** A repo as JSON with exactly these fields, besides its ids. */
export function serializeRepo(source: RepoSource, fields: readonly string[]): Record<string, unknown> {
  const { repo } = source;
  const id = `${repo.namespace}/${repo.name}`;
  const json: Record<string, unknown> = { _id: repo.publicId, id };
  if (repo.type === 'model') json.modelId = id;
  for (const name of fields) json[name] = FIELDS[repo.type][name]?.(source);
  return json;
}

function baseModels(facts: RepoFacts | null): unknown {
  if (!facts?.baseModels.length) return undefined;
  const tag = facts.tags.find((t) => /^base_model:(?:finetune|adapter|merge|quantized):/.test(t));
  return { relation: tag?.split(':')[1] ?? 'finetune', models: facts.baseModels.map((id) => ({ id })) };
}

function maskToken(facts: RepoFacts | null): unknown {
  const tokenizer = facts?.config?.tokenizer_config;
  const token = isJsonObject(tokenizer) ? tokenizer.mask_token : undefined;
  return isJsonObject(token) ? token.content : (token ?? undefined);
}

const AUTO_MODEL: Readonly<Record<string, readonly [model: string, processor: string]>> = {
  'text-generation': ['AutoModelForCausalLM', 'AutoTokenizer'],
  'fill-mask': ['AutoModelForMaskedLM', 'AutoTokenizer'],
  'text-classification': ['AutoModelForSequenceClassification', 'AutoTokenizer'],
  'token-classification': ['AutoModelForTokenClassification', 'AutoTokenizer'],
  'question-answering': ['AutoModelForQuestionAnswering', 'AutoTokenizer'],
  'image-classification': ['AutoModelForImageClassification', 'AutoImageProcessor'],
  'automatic-speech-recognition': ['AutoModelForSpeechSeq2Seq', 'AutoProcessor'],
};

/** Exactly the four keys that clients know; any other makes them throw. */
function transformersInfo(facts: RepoFacts | null): unknown {
  if (facts?.libraryName !== 'transformers' || !facts.config) return undefined;
  const [model, processor] = AUTO_MODEL[facts.pipelineTag ?? ''] ?? ['AutoModel', 'AutoTokenizer'];
  return { auto_model: model, pipeline_tag: facts.pipelineTag ?? undefined, processor };
}
