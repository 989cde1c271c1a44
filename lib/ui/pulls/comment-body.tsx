'use client';

import { useTranslator } from '../reader.tsx';
import type { ShownComment } from '../view-models/discussion-page.ts';

/** The text of a comment: as HTML that the server made safe, or as it was written where that took too long. */
export function CommentBody({ comment }: { comment: Pick<ShownComment, 'html' | 'raw' | 'isHidden'> }) {
  const t = useTranslator();
  if (comment.isHidden) return <p className="text-muted italic">{t('pulls.hidden')}</p>;
  if (comment.raw.trim() === '') return <p className="text-muted italic">{t('pulls.noText')}</p>;
  if (comment.html === null)
    return <pre className="overflow-auto text-sm break-words whitespace-pre-wrap">{comment.raw}</pre>;
  // renderMarkdown sanitizes: tests/e2e/hostile-content.test.ts.
  return <div className="prose prose-comment" dangerouslySetInnerHTML={{ __html: comment.html }} />;
}
