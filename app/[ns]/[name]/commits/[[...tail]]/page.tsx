import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { pageNumber, repoOf, type TailParams, tailOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { HistoryScreen } from '#lib/ui/screens/history-screen.tsx';

interface Props {
  params: TailParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function HistoryPage({ params, searchParams }: Props) {
  const [repo, tail] = [await repoOf('model', params), await tailOf(params)];
  return <HistoryScreen repo={repo} tail={tail} page={pageNumber(await oneOf(searchParams, 'p'))} />;
}
