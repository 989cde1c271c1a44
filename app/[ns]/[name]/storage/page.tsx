import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { StorageScreen } from '#lib/ui/screens/storage-screen.tsx';

export const generateMetadata = ({ params }: { params: RepoParams }) => titleOf('model', params);

export default async function StoragePage({ params }: { params: RepoParams }) {
  return <StorageScreen repo={await repoOf('model', params)} />;
}
