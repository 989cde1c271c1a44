import type { Metadata } from 'next';
import { decodeSegment } from '#lib/ui/repo-params.ts';
import { ProfileScreen } from '#lib/ui/screens/profile-screen.tsx';

interface Props {
  params: Promise<{ ns: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: decodeSegment((await params).ns) };
}

export default async function ProfilePage({ params }: Props) {
  return <ProfileScreen name={decodeSegment((await params).ns)} />;
}
