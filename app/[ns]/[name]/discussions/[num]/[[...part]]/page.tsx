import type { Metadata } from 'next';
import { discussionOf } from '#lib/ui/discussion-params.ts';
import { oneOf, type PageQuery } from '#lib/ui/query.ts';
import { repoOf } from '#lib/ui/repo-params.ts';
import { DiscussionScreen } from '#lib/ui/screens/discussion-screen.tsx';

interface Props {
  params: Promise<{ ns: string; name: string; num: string; part?: string[] }>;
  searchParams: PageQuery;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const [{ namespace, name }, { num }] = [await repoOf('model', params), await discussionOf(params)];
  return { title: `#${num} · ${namespace}/${name}` };
}

export default async function DiscussionPage({ params, searchParams }: Props) {
  const { num, part } = await discussionOf(params);
  const all = (await oneOf(searchParams, 'all')) === '1';
  return <DiscussionScreen repo={await repoOf('model', params)} num={num} part={part} all={all} />;
}
