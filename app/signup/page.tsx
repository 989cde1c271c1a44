import type { Metadata } from 'next';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { EntryScreen } from '#lib/ui/screens/entry-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('account.signUpTitle') };
}

export default async function SignUpPage({ searchParams }: { searchParams: PageQuery }) {
  return <EntryScreen mode="signUp" next={await oneOf(searchParams, 'next')} />;
}
