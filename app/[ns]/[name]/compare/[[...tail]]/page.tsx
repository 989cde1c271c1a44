import type { Metadata } from 'next';
import type { PageQuery } from '#lib/ui/query.ts';
import { rangeOf } from '#lib/ui/range-params.ts';
import { repoOf, type TailParams } from '#lib/ui/repo-params.ts';
import { titleOf } from '#lib/ui/repo-title.ts';
import { CompareScreen } from '#lib/ui/screens/compare-screen.tsx';

interface Props {
  params: TailParams;
  searchParams: PageQuery;
}

export const generateMetadata = ({ params }: Props): Promise<Metadata> => titleOf('model', params);

export default async function ComparePage({ params, searchParams }: Props) {
  return <CompareScreen repo={await repoOf('model', params)} range={await rangeOf(params, searchParams)} />;
}
