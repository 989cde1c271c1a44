import type { Metadata } from 'next';
import { repoOf, type TailParams, tailOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { NewFileScreen } from '#lib/ui/screens/new-file-screen.tsx';

interface Props {
  params: TailParams;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function NewFilePage({ params }: Props) {
  return <NewFileScreen repo={await repoOf('model', params)} tail={await tailOf(params)} />;
}
