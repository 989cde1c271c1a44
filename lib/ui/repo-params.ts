import type { RepoRef, RepoType } from '#lib/repos/types.ts';

/** Path parameters of a repo's pages, as Next gives them: still percent-encoded. */
export type RepoParams = Promise<{ ns: string; name: string }>;
export type TailParams = Promise<{ ns: string; name: string; tail?: string[] }>;

/** Decodes one path segment; a malformed escape stays as it is and then names nothing. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The repo that an address names. */
export async function repoOf(type: RepoType, params: RepoParams | TailParams): Promise<RepoRef> {
  const { ns, name } = await params;
  return { type, namespace: decodeSegment(ns), name: decodeSegment(name) };
}

/** The raw rest of an address after tree, blob or commits: revision and path, not yet parted; '' when there is none. */
export async function tailOf(params: TailParams): Promise<string> {
  return ((await params).tail ?? []).join('/');
}

/** A 0-based page number; nonsense is the first page. */
export function pageNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}
