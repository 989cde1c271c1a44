import type { Metadata } from 'next';
import { EndpointsScreen } from '#lib/ui/screens/endpoints-screen.tsx';
import { translator } from '#lib/ui/translator.ts';

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await translator())('endpoint.title') };
}

export default function EndpointsPage() {
  return <EndpointsScreen />;
}
