import type { Metadata } from 'next';
import { type RepoParams, repoOf } from '#lib/ui/repo-params.ts';
import { EndpointScreen } from '#lib/ui/screens/endpoint-screen.tsx';

interface Props {
  params: RepoParams;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { namespace, name } = await repoOf('model', params);
  return { title: `${namespace}/${name}` };
}

export default async function EndpointPage({ params }: Props) {
  const { namespace, name } = await repoOf('model', params);
  return <EndpointScreen namespace={namespace} name={name} />;
}
