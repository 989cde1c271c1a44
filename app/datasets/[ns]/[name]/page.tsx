import type { Metadata } from 'next';
import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { RepoScreen } from '#lib/ui/screens/repo-screen.tsx';

export async function generateMetadata({ params }: { params: RepoParams }): Promise<Metadata> {
  const { namespace, name } = await repoOf('dataset', params);
  return { title: `${namespace}/${name}` };
}

export default async function DatasetPage({ params }: { params: RepoParams }) {
  return <RepoScreen {...(await repoOf('dataset', params))} />;
}
