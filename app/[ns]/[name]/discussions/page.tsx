import type { Metadata } from 'next';
import { filterOf } from '#lib/ui/discussion-params.ts';
import type { PageQuery } from '#lib/ui/query.ts';
import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { DiscussionsScreen } from '#lib/ui/screens/discussions-screen.tsx';

interface Props {
  params: RepoParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function DiscussionsPage({ params, searchParams }: Props) {
  return <DiscussionsScreen repo={await repoOf('model', params)} filter={await filterOf(searchParams)} />;
}
