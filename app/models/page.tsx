import type { Metadata } from 'next';
import type { PageQuery } from '#lib/ui/query.ts';
import { ListScreen } from '#lib/ui/screens/list-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('catalog.models') };
}

export default function ModelsPage({ searchParams }: { searchParams: PageQuery }) {
  return <ListScreen type="model" query={searchParams} />;
}
