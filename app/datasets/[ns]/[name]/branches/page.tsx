import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { pageNumber, type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { BranchesScreen } from '#lib/ui/screens/branches-screen.tsx';

interface Props {
  params: RepoParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props) => titleOf('dataset', params);

export default async function BranchesPage({ params, searchParams }: Props) {
  const page = pageNumber(await oneOf(searchParams, 'p'));
  return <BranchesScreen repo={await repoOf('dataset', params)} page={page} />;
}
