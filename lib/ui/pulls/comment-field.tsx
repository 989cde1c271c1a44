'use client';

import { lazy, Suspense, useId, useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { TextArea } from '../kit/field.tsx';
import { PreviewSwitch } from '../markdown/preview-switch.tsx';
import { useTranslator } from '../reader.tsx';
import { useFocus } from './use-focus.ts';

const MarkdownPreview = lazy(() => import('../markdown/markdown-preview.tsx'));

/** Where a comment is written, and what its links mean. */
export interface CommentPlace {
  readonly repo: RepoRef;
  /** Default branch: relative links in comments lead there. */
  readonly revision: string;
}

const MAX_TEXT = 65_536;

/** A box for Markdown that can show how it will look. */
export function CommentField(props: {
  place: CommentPlace;
  text: string;
  onText: (text: string) => void;
  label: string;
  rows?: number;
  /** It came up because the reader asked for it. */
  takesFocus?: boolean;
  onCancel?: () => void;
}) {
  const t = useTranslator();
  const id = useId();
  const ref = useFocus<HTMLTextAreaElement>(props.takesFocus ?? false);
  const [isPreview, setPreview] = useState(false);
  const { text, place } = props;
  return (
    <div className="flex flex-col gap-2">
      <PreviewSwitch isPreview={isPreview} onChange={setPreview} />
      {isPreview ? (
        <div className="min-h-24 rounded-md border border-line bg-surface px-4 py-3">
          {text.trim() === '' ? (
            <p className="text-muted">{t('pulls.nothingToPreview')}</p>
          ) : (
            <Suspense fallback={<p className="text-muted">{t('pulls.previewing')}</p>}>
              <MarkdownPreview text={text} repo={place.repo} revision={place.revision} />
            </Suspense>
          )}
        </div>
      ) : (
        <TextArea
          id={id}
          aria-label={props.label}
          value={text}
          rows={props.rows ?? 5}
          maxLength={MAX_TEXT}
          placeholder={t('pulls.commentHint')}
          ref={ref}
          onChange={(event) => props.onText(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && text.trim() === '' && props.onCancel?.()}
          className="min-h-24 bg-surface"
        />
      )}
    </div>
  );
}
