import type { RepoRef, RepoType } from '#lib/repos/types.ts';

/** A path of a repo, each segment encoded on its own. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** The page of a repo: /ns/name, or /datasets/ns/name. */
export function repoAddress(ref: RepoRef): string {
  const prefix = ref.type === 'dataset' ? '/datasets' : '';
  return `${prefix}/${encodeURIComponent(ref.namespace)}/${encodeURIComponent(ref.name)}`;
}

export type RepoView =
  | 'tree'
  | 'blob'
  | 'commits'
  | 'commit'
  | 'compare'
  | 'resolve'
  | 'raw'
  | 'edit'
  | 'new'
  | 'upload';
/** An address of the repo's API; `rest` is encoded already. */
export function apiAddress(ref: RepoRef, rest: string): string {
  const type = ref.type === 'dataset' ? 'datasets' : 'models';
  return `/api/${type}/${encodeURIComponent(ref.namespace)}/${encodeURIComponent(ref.name)}/${rest}`;
}

/** The page of the branches and tags of a repo, or of one branch's earlier positions. */
export function branchesAddress(ref: RepoRef, branch?: string): string {
  return `${repoAddress(ref)}/branches${branch === undefined ? '' : `/${encodeURIComponent(branch)}`}`;
}

/** A page or raw address inside a repo at a revision. A slash in the revision is encoded, as the Hub's clients do. */
export function fileAddress(ref: RepoRef, view: RepoView, revision: string, path = ''): string {
  const tail = path === '' ? '' : `/${encodePath(path)}`;
  return `${repoAddress(ref)}/${view}/${encodeURIComponent(revision)}${tail}`;
}

/** The zip of a folder at a revision, or of the whole repo. */
export function archiveAddress(ref: RepoRef, revision: string, folder = ''): string {
  const tail = folder === '' ? '' : `/${encodePath(folder)}`;
  return `${repoAddress(ref)}/archive/${encodeURIComponent(revision)}${tail}.zip`;
}

/** The list of a repo's discussions, or one of them, or a part of its page (`commits`, `files`). */
export function discussionAddress(ref: RepoRef, num?: number | 'new', part?: 'commits' | 'files'): string {
  const parts = [repoAddress(ref), 'discussions', num, part];
  return parts.filter((each) => each !== undefined).join('/');
}

/** The hub's API about discussions: all, one, or something done to one (`comment`, `merge`). */
export function discussionApi(ref: RepoRef, num?: number, what?: string): string {
  const type = ref.type === 'dataset' ? 'datasets' : 'models';
  const repo = `${encodeURIComponent(ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return [`/api/${type}/${repo}/discussions`, num, what].filter((each) => each !== undefined).join('/');
}

/** The page of an endpoint. */
export function endpointAddress(namespace: string, name: string): string {
  return `/endpoints/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

/** The list page of a type of repo. */
export function listAddress(type: RepoType): string {
  return type === 'dataset' ? '/datasets' : '/models';
}

/** Where to go after signing in: a path of this hub only, never another site (//evil, /\evil, javascript:). */
export function safeNext(next: string | undefined): string {
  const safe = next !== undefined && /^\/(?![/\\]|%2f|%5c)[\x21-\x5b\x5d-\x7e]*$/i.test(next);
  return safe ? next : '/';
}

/** The hub's API about a comparison: `base..head` or `base...head`. */
export function comparisonApi(
  ref: RepoRef,
  what: 'compare' | 'diff-file' | 'diff-tensors' | 'diff-meaning',
  range: string,
): string {
  const type = ref.type === 'dataset' ? 'datasets' : 'models';
  const repo = `${encodeURIComponent(ref.namespace)}/${encodeURIComponent(ref.name)}`;
  return `/api/${type}/${repo}/${what}/${encodeURIComponent(range)}`;
}
