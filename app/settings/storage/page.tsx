import type { Metadata } from 'next';
import { StorageSettingsScreen } from '#lib/ui/screens/storage-settings-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('reclaim.title') };
}

export default function StorageSettingsPage() {
  return <StorageSettingsScreen />;
}
