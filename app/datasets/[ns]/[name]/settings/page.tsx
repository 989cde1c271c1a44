import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { RepoSettingsScreen } from '#lib/ui/screens/repo-settings-screen.tsx';

export const generateMetadata = ({ params }: { params: RepoParams }) => titleOf('dataset', params);

export default async function RepoSettingsPage({ params }: { params: RepoParams }) {
  return <RepoSettingsScreen repo={await repoOf('dataset', params)} />;
}
