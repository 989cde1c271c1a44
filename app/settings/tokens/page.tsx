import type { Metadata } from 'next';
import { TokenSettingsScreen } from '#lib/ui/screens/settings-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('account.tokens') };
}

export default function TokensPage() {
  return <TokenSettingsScreen />;
}
