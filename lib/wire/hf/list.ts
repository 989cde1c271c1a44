import { hubError } from '#lib/base/errors.ts';
import { listFiles } from '#lib/catalog/list-files.ts';
import {
  isRepoSort,
  type ListedRepo,
  listRepos,
  type RepoQuery,
  type RepoSort,
} from '#lib/catalog/list-repos.ts';
import { listTags, type Tag } from '#lib/catalog/list-tags.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { RepoType } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { parseExpand } from './parse-expand.ts';
import { isTrue } from './repo-params.ts';
import { listFields, serializeRepo } from './serialize-repo.ts';
import { pageLimit } from './tree.ts';
import { nextLink } from './urls.ts';

const MAX_ITEMS = 1000;
/** With their files listed, fewer repos make a page. */
const MAX_ITEMS_WITH_FILES = 100;

/** Tags that tell that an application can run a model. */
const APP_TAGS: Readonly<Record<string, string>> = {
  'llama.cpp': 'gguf',
  ollama: 'gguf',
  lmstudio: 'gguf',
  jan: 'gguf',
  'node-llama-cpp': 'gguf',
  vllm: 'safetensors',
  sglang: 'safetensors',
  tgi: 'safetensors',
  'mlx-lm': 'mlx',
};

const models = route(
  ['GET', 'HEAD'],
  '/api/models',
  { operation: 'models.list', access: 'public' },
  (ctx, req, res) => sendList(ctx, req, res, 'model'),
);

const datasets = route(
  ['GET', 'HEAD'],
  '/api/datasets',
  { operation: 'datasets.list', access: 'public' },
  (ctx, req, res) => sendList(ctx, req, res, 'dataset'),
);

/** The tags in use, by kind: what a client may filter by. */
const tags = route(
  ['GET', 'HEAD'],
  '/api/:kind(models|datasets)-tags-by-type',
  { operation: 'tags.list', access: 'public' },
  async (ctx, req, res) => {
    const only = req.query.get('type');
    const byType: Record<string, Tag[]> = {};
    for (const tag of await listTags(ctx, req.param('kind') === 'models' ? 'model' : 'dataset')) {
      if (only !== null && only !== tag.type) continue;
      (byType[tag.type] ??= []).push(tag);
    }
    sendJson(res, 200, byType);
  },
);

const others = route(
  ['GET', 'HEAD'],
  '/api/:kind(spaces|kernels)',
  { operation: 'others.list', access: 'public' },
  async (_ctx, req) => {
    throw hubError('not_found', `this hub has models and datasets, no ${req.param('kind')}`);
  },
);

export const listRoutes: Route[] = [models, datasets, tags, others];

/** A page of repos; the Link to the next repeats every parameter, as clients send none of their own with it. */
async function sendList(ctx: Ctx, req: WireRequest, res: WireResponse, type: RepoType): Promise<void> {
  const { query } = req;
  const fields =
    parseExpand(type, query) ??
    listFields(type, {
      full: isTrue(query.get('full')),
      cardData: isTrue(query.get('cardData')),
      config: isTrue(query.get('config')),
    });
  const withFiles = fields.includes('siblings');
  const asked = parseListQuery(type, query, withFiles ? MAX_ITEMS_WITH_FILES : MAX_ITEMS);
  const { items, nextCursor } =
    asked === null ? { items: [], nextCursor: null } : await listRepos(ctx, asked);
  const json: Record<string, unknown>[] = [];
  for (const item of items) {
    const siblings = withFiles ? await filesOf(ctx, item) : null;
    const { repo, headOid: sha, facts } = item;
    json.push(serializeRepo({ repo, sha, facts, siblings, blobs: false }, fields));
  }
  const headers =
    nextCursor === null ? {} : { link: nextLink(ctx.publicUrl, req.rawPath, query, { cursor: nextCursor }) };
  sendJson(res, 200, json, headers);
}

async function filesOf(ctx: Ctx, { repo, headOid }: ListedRepo) {
  return headOid === null ? [] : listFiles(ctx, repo, headOid, 10_000);
}

/** The query of a listing; null when it asks for what this hub has none of (gated repos, hosted inference). */
function parseListQuery(type: RepoType, query: URLSearchParams, maxItems: number): RepoQuery | null {
  const list = (key: string) =>
    [...query.getAll(key), ...query.getAll(`${key}[]`)].flatMap((value) => value.split(',')).filter(Boolean);
  if (isTrue(query.get('gated')) || list('inference').length > 0 || list('inference_provider').length > 0)
    return null;
  const apps = list('apps').map((app) => APP_TAGS[app] ?? `app:${app}`);
  const author = query.get('author');
  const pipelineTag = query.get('pipeline_tag');
  const cursor = query.get('cursor');
  return {
    type,
    search: [...query.getAll('search'), ...query.getAll('model_name')],
    filter: [...list('filter'), ...list('library'), ...list('language'), ...list('tags'), ...apps],
    sort: sortOf(query.get('sort')),
    direction: query.get('direction') === '1' ? 'ascending' : 'descending',
    limit: pageLimit(query.get('limit'), maxItems),
    ...(author ? { author } : {}),
    ...(pipelineTag ? { pipelineTag } : {}),
    ...(cursor ? { cursor } : {}),
    ...parameterRange(query.get('num_parameters')),
  };
}

const SORT_NAMES: Readonly<Record<string, RepoSort>> = {
  _id: 'id',
  likes30d: 'likes',
  last_modified: 'lastModified',
  created_at: 'createdAt',
  trending_score: 'trendingScore',
};

function sortOf(text: string | null): RepoSort {
  if (text === null || text === '') return 'trendingScore';
  const sort = SORT_NAMES[text] ?? text;
  if (!isRepoSort(sort))
    throw hubError(
      'invalid_input',
      '"sort" must be one of [createdAt, downloads, id, lastModified, likes, trendingScore]',
    );
  return sort;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, B: 1e9, T: 1e12 };

/** `min:6B,max:128B`, either part alone too. */
function parameterRange(text: string | null): { minParameters?: number; maxParameters?: number } {
  if (text === null || text === '') return {};
  const range: { minParameters?: number; maxParameters?: number } = {};
  for (const part of text.split(',')) {
    const match = /^(min|max):(\d{1,15}(?:\.\d{1,6})?)([KMBT]?)$/i.exec(part.trim());
    if (!match)
      throw hubError(
        'invalid_input',
        '"num_parameters" must be like min:6B,max:128B (K, M, B and T are known)',
      );
    const asked = Math.round(Number(match[2]) * (UNITS[(match[3] ?? '').toUpperCase()] ?? 1));
    const value = Math.min(asked, Number.MAX_SAFE_INTEGER);
    if (match[1]?.toLowerCase() === 'min') range.minParameters = value;
    else range.maxParameters = value;
  }
  return range;
}
