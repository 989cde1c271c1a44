import type { Metadata } from 'next';
import { UsageScreen } from '#lib/ui/screens/usage-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('storage.usage') };
}

export default async function UsagePage(props: { searchParams: Promise<{ of?: string | string[] }> }) {
  const { of } = await props.searchParams;
  return <UsageScreen of={typeof of === 'string' ? of : undefined} />;
}
