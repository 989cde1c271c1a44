import type { Metadata } from 'next';
import { visibleText } from '#lib/base/visible-text.ts';
import type { RepoType } from '#lib/repos/types.ts';
import { decodeSegment, type RepoParams, repoOf, type TailParams } from './repo-params.ts';

/** The title of a page inside a repo: the last part of its path, then the repo. */
export async function titleOf(type: RepoType, params: RepoParams | TailParams): Promise<Metadata> {
  const { namespace, name } = await repoOf(type, params);
  const { tail } = (await params) as Awaited<TailParams>;
  const last = tail?.at(-1);
  return { title: `${last ? `${visibleText(decodeSegment(last))} · ` : ''}${namespace}/${name}` };
}
