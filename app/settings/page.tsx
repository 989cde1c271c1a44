import type { Metadata } from 'next';
import { ProfileSettingsScreen } from '#lib/ui/screens/settings-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('account.settings') };
}

export default function SettingsPage() {
  return <ProfileSettingsScreen />;
}
