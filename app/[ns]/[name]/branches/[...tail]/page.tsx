import { decodeSegment, repoOf, type TailParams, tailOf } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { ReflogScreen } from '#lib/ui/screens/reflog-screen.tsx';

export const generateMetadata = ({ params }: { params: TailParams }) => titleOf('model', params);

export default async function ReflogPage({ params }: { params: TailParams }) {
  const branch = (await tailOf(params)).split('/').map(decodeSegment).join('/');
  return <ReflogScreen repo={await repoOf('model', params)} branch={branch} />;
}
