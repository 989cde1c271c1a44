import type { Metadata } from 'next';
import type { PageQuery } from '#lib/ui/query.ts';
import { ListScreen } from '#lib/ui/screens/list-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('catalog.datasets') };
}

export default function DatasetsPage({ searchParams }: { searchParams: PageQuery }) {
  return <ListScreen type="dataset" query={searchParams} />;
}
