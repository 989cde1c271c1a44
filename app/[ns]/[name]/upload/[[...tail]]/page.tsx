import type { Metadata } from 'next';
import { repoOf, type TailParams, tailOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { UploadScreen } from '#lib/ui/screens/upload-screen.tsx';

interface Props {
  params: TailParams;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function UploadPage({ params }: Props) {
  return <UploadScreen repo={await repoOf('model', params)} tail={await tailOf(params)} />;
}
