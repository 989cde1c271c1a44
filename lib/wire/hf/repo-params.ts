import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { revisionNotFound } from '#lib/repos/resolve-revision.ts';
import { splitRevision } from '#lib/repos/split-revision.ts';
import type { Repo, RepoRef, RepoType, Revision } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';

const TYPES: Readonly<Record<string, RepoType>> = {
  models: 'model',
  datasets: 'dataset',
  '': 'model',
};

/** Segment of /api/{type}/… for every repo route: spaces and kernels fit, to be refused by name. */
export const API_REPO = '/api/:type(models|datasets|spaces|kernels)/:ns/:name';

/** Patterns of a route under a repo's own address, `/ns/name/…` and `/datasets/ns/name/…`. */
export function webPatterns(rest: string): string[] {
  return [`/:prefix(datasets|spaces|kernels)/:ns/:name/${rest}`, `/:ns/:name/${rest}`];
}

/** The repo a request names. Throws repo_not_found, saying so, for types this hub does not have. */
export function repoRefOf(req: WireRequest): RepoRef {
  const word = req.params.type ?? req.params.prefix ?? '';
  const type = TYPES[word];
  if (type === undefined)
    throw hubError('repo_not_found', `Repository not found: this hub has models and datasets, no ${word}`);
  return { type, namespace: req.param('ns'), name: req.param('name') };
}

/** The revision that the whole raw rest of a path names. Throws revision_not_found. */
export async function revisionOf(
  app: Pick<App, 'db'>,
  repo: Repo,
  rawRest: string,
): Promise<Revision & { name: string }> {
  const { revision, path } = await splitRevision(app.db, repo, rawRest);
  if (path !== '') throw revisionNotFound(`${revision.name}/${path}`);
  return revision;
}

/** True for `true` and `1`: how clients write a boolean in a query or a form. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1';
}
