import 'katex/dist/katex.min.css';
import { hub } from '../hub.ts';
import { Notice } from '../kit/panel.tsx';
import { translator } from '../translator.ts';
import type { MarkdownPlace } from './rewrite-addresses.ts';

/** The Markdown of a stranger, rendered; what cannot be rendered in time is shown as it was written. */
export async function Markdown({ text, place }: { text: string; place: MarkdownPlace }) {
  const { repo, revision, folder } = place;
  const { type, namespace, name } = repo;
  const task = {
    kind: 'markdown',
    text,
    place: { repo: { type, namespace, name }, revision, folder },
  } as const;
  const html = await hub().render(task);
  if (html === null) return <Unrendered text={text} />;
  // renderMarkdown sanitizes: tests/e2e/hostile-content.test.ts.
  return <div className="prose" dangerouslySetInnerHTML={{ __html: html }} />;
}

async function Unrendered({ text }: { text: string }) {
  const t = await translator();
  return (
    <div className="flex flex-col gap-4">
      <Notice tone="warn" title={t('repo.notRendered')} />
      <pre className="max-h-[70vh] overflow-auto text-sm break-words whitespace-pre-wrap">{text}</pre>
    </div>
  );
}
