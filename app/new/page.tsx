import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { NewRepoScreen } from '#lib/ui/screens/new-repo-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('frame.new') };
}

export default async function NewPage({ searchParams }: { searchParams: PageQuery }) {
  return <NewRepoScreen type={(await oneOf(searchParams, 'type')) === 'dataset' ? 'dataset' : 'model'} />;
}
