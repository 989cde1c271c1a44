'use client';

import { useMemo, useState } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import type { ChangedFile } from '#lib/repos/diff/types.ts';
import { DiffView, type DiffViewProps } from '../diff/diff-view.tsx';
import type { LinePlace } from '../diff/line-place.ts';
import { useTranslator } from '../reader.tsx';
import type { ShownComment } from '../view-models/discussion-page.ts';
import type { CommentPlace } from './comment-field.tsx';
import { LineThread, type ThreadAnchor } from './line-thread.tsx';
import { useViewed } from './use-viewed.ts';

/** A comment at a line, with when it was written in the reader's words. */
export interface ReviewComment {
  readonly comment: ShownComment;
  readonly when: string;
}

interface Props extends Pick<DiffViewProps, 'range' | 'files' | 'isComplete' | 'loaded'> {
  readonly place: CommentPlace;
  readonly num: number;
  readonly headOid: string;
  readonly comments: readonly ReviewComment[];
  readonly mayComment: boolean;
}

const keyOf = ({ path, side, line }: ThreadAnchor) => `${side}:${line}:${path}`;
const anchorOf = ({ path, side, line }: LinePlace): ThreadAnchor => ({
  path,
  side: side === 'old' ? 'before' : 'after',
  line,
});

/** The changes of a pull request to be reviewed: comments at lines, files ticked off. */
export function ReviewFiles({ place, num, headOid, comments, mayComment, ...diff }: Props) {
  const t = useTranslator();
  const [writingAt, setWritingAt] = useState<string | null>(null);
  const viewed = useViewed(`viewed:${place.repo.type}:${place.repo.namespace}/${place.repo.name}#${num}`);
  const threads = useMemo(() => {
    const byLine = new Map<string, ReviewComment[]>();
    for (const each of comments) {
      const { anchor } = each.comment;
      if (anchor === null) continue;
      byLine.set(keyOf(anchor), [...(byLine.get(keyOf(anchor)) ?? []), each]);
    }
    return byLine;
  }, [comments]);
  const renderAfterLine = (line: LinePlace) => {
    const anchor = anchorOf(line);
    const key = keyOf(anchor);
    const thread = threads.get(key) ?? [];
    const isWriting = writingAt === key;
    if (thread.length === 0 && !isWriting) return null;
    return (
      <LineThread
        {...{ place, num, anchor, headOid, isWriting }}
        comments={thread}
        mayWrite={mayComment}
        onWrite={(writing) => setWritingAt(writing ? key : null)}
      />
    );
  };
  const done = diff.files.filter(viewed.has).length;
  return (
    <div className="flex flex-col gap-2">
      {diff.files.length > 1 && (
        <p className="tabular text-sm text-muted" aria-live="polite">
          {t('pulls.viewedCount', { done, total: diff.files.length })}
        </p>
      )}
      <DiffView
        {...diff}
        repo={place.repo}
        renderAfterLine={renderAfterLine}
        onLineAction={mayComment ? (line) => setWritingAt(keyOf(anchorOf(line))) : undefined}
        lineActionLabel={t('pulls.commentOnLine')}
        isFolded={viewed.has}
        renderFileMark={(file) => (
          <ViewedMark file={file} isViewed={viewed.has(file)} onToggle={() => viewed.toggle(file)} />
        )}
      />
    </div>
  );
}

function ViewedMark({
  file,
  isViewed,
  onToggle,
}: {
  file: ChangedFile;
  isViewed: boolean;
  onToggle: () => void;
}) {
  const t = useTranslator();
  return (
    <label className="flex h-7 cursor-pointer items-center gap-1.5 rounded-md px-1.5 text-xs text-muted select-none hover:bg-hover hover:text-fg max-md:h-9">
      <input
        type="checkbox"
        checked={isViewed}
        onChange={onToggle}
        aria-label={`${t('pulls.viewed')}: ${visibleText(file.path)}`}
        className="accent-(--ring)"
      />
      <span>{t('pulls.viewed')}</span>
    </label>
  );
}
