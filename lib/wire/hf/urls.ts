import type { RepoRef, RepoType } from '#lib/repos/types.ts';

/** `models` or `datasets`, as in /api/models. */
export function apiType(type: RepoType): 'models' | 'datasets' {
  return type === 'model' ? 'models' : 'datasets';
}

/** Address of a repo's page: {base}/[datasets/]ns/name. Clients parse it, so base must be the host they called. */
export function repoUrl(publicUrl: string, { type, namespace, name }: RepoRef): string {
  return `${publicUrl}/${type === 'model' ? '' : 'datasets/'}${namespace}/${name}`;
}

/** Address of a commit's page; parsed by clients like a repo URL. */
export function commitUrl(publicUrl: string, repo: RepoRef, oid: string): string {
  return `${repoUrl(publicUrl, repo)}/commit/${oid}`;
}

/** Address of a discussion's page; clients read the number out of it. */
export function discussionUrl(publicUrl: string, repo: RepoRef, num: number): string {
  return `${repoUrl(publicUrl, repo)}/discussions/${num}`;
}

/** Value of a Link header to the next page: absolute, with every parameter of this request and the new ones. */
export function nextLink(
  publicUrl: string,
  rawPath: string,
  query: URLSearchParams,
  more: Record<string, string>,
): string {
  const params = new URLSearchParams(query);
  for (const [key, value] of Object.entries(more)) params.set(key, value);
  return `<${publicUrl}${rawPath}?${params.toString()}>; rel="next"`;
}
