import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { EntryScreen } from '#lib/ui/screens/entry-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('account.signInTitle') };
}

export default async function LoginPage({ searchParams }: { searchParams: PageQuery }) {
  return <EntryScreen mode="signIn" next={await oneOf(searchParams, 'next')} />;
}
