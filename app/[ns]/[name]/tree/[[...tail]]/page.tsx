import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { repoOf, type TailParams, tailOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { FolderScreen } from '#lib/ui/screens/folder-screen.tsx';

interface Props {
  params: TailParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function FolderPage({ params, searchParams }: Props) {
  const [repo, tail, after] = [
    await repoOf('model', params),
    await tailOf(params),
    await oneOf(searchParams, 'after'),
  ];
  return <FolderScreen repo={repo} tail={tail} after={after} />;
}
