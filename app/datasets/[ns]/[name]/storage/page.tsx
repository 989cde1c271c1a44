import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { StorageScreen } from '#lib/ui/screens/storage-screen.tsx';

export const generateMetadata = ({ params }: { params: RepoParams }) => titleOf('dataset', params);

export default async function StoragePage({ params }: { params: RepoParams }) {
  return <StorageScreen repo={await repoOf('dataset', params)} />;
}
