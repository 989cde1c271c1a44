'use client';

import { lazy, Suspense, useEffect, useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { CallError, callHub } from '../call-hub.ts';
import { Notice } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { bodyOf } from './body-of.ts';

const MarkdownPreview = lazy(() => import('../markdown/markdown-preview.tsx'));

interface Verdict {
  readonly errors: readonly { readonly message: string }[];
  readonly warnings: readonly { readonly message: string }[];
}

const isVerdict = (value: unknown): value is Verdict =>
  Array.isArray((value as Verdict | null)?.errors) && Array.isArray((value as Verdict | null)?.warnings);

/** What the hub will say of this card when it is committed; null while it has not said, or cannot. */
function useVerdict(text: string, isCard: boolean): Verdict | null {
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  useEffect(() => {
    if (!isCard) return;
    const leaving = new AbortController();
    // A card with errors is answered with 400 and the same body.
    callHub<unknown>('POST', '/api/validate-yaml', { content: text }, leaving.signal)
      .catch((error: unknown) => (error instanceof CallError ? error.body : null))
      .then((answer) => {
        if (!leaving.signal.aborted) setVerdict(isVerdict(answer) ? answer : null);
      });
    return () => leaving.abort();
  }, [text, isCard]);
  return verdict;
}

/** Markdown as it will look in its place. Above a card: what is wrong with its metadata, and what could be better. */
export function CardPreview(props: { text: string; path: string; repo: RepoRef; revision: string }) {
  const t = useTranslator();
  const { text, path, repo, revision } = props;
  const verdict = useVerdict(text, /^readme\.md$/i.test(path));
  const body = bodyOf(text);
  const list = (messages: Verdict['errors']) => (
    <ul>
      {messages.map(({ message }) => (
        <li key={message}>{message}</li>
      ))}
    </ul>
  );
  return (
    <div className="flex min-h-96 flex-col gap-4 px-4 py-5 md:px-8 md:py-7">
      <div aria-live="polite" className="flex flex-col gap-3 empty:hidden">
        {verdict && verdict.errors.length > 0 && (
          <Notice tone="bad" title={t('edit.cardErrors')}>
            {list(verdict.errors)}
          </Notice>
        )}
        {verdict && verdict.warnings.length > 0 && (
          <Notice tone="warn" title={t('edit.cardWarnings')}>
            {list(verdict.warnings)}
          </Notice>
        )}
      </div>
      {body.trim() === '' ? (
        <p className="text-muted">{t('pulls.nothingToPreview')}</p>
      ) : (
        <Suspense fallback={<p className="text-muted">{t('pulls.previewing')}</p>}>
          <MarkdownPreview
            text={body}
            repo={repo}
            revision={revision}
            folder={path.slice(0, Math.max(0, path.lastIndexOf('/')))}
          />
        </Suspense>
      )}
    </div>
  );
}
