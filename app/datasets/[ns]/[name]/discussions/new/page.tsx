import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { NewDiscussionScreen } from '#lib/ui/screens/new-discussion-screen.tsx';

interface Props {
  params: RepoParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('dataset', params);

export default async function NewDiscussionPage({ params, searchParams }: Props) {
  const [pull, base, head] = await Promise.all(
    ['pull', 'base', 'head'].map((name) => oneOf(searchParams, name)),
  );
  return (
    <NewDiscussionScreen
      repo={await repoOf('dataset', params)}
      isPull={pull === '1'}
      base={base || null}
      head={head || null}
    />
  );
}
