'use client';

import { useState } from 'react';
import { FormError } from '../account/form-error.tsx';
import { discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { CommentCard } from './comment-card.tsx';
import { CommentField, type CommentPlace } from './comment-field.tsx';
import type { ReviewComment } from './review-files.tsx';
import { useAction } from './use-action.ts';

/** Where a thread stands. */
export interface ThreadAnchor {
  readonly path: string;
  readonly side: 'before' | 'after';
  readonly line: number;
}

/** The comments at one line, and a box for another. */
export function LineThread(props: {
  place: CommentPlace;
  num: number;
  anchor: ThreadAnchor;
  comments: readonly ReviewComment[];
  headOid: string;
  isWriting: boolean;
  mayWrite: boolean;
  onWrite: (writing: boolean) => void;
}) {
  const t = useTranslator();
  const { place, num, comments, headOid, isWriting, mayWrite, onWrite } = props;
  return (
    <div className="flex max-w-3xl flex-col gap-2.5 px-4 py-3">
      {comments.map(({ comment, when }) => (
        <CommentCard key={comment.id} {...{ place, num, comment, when, headOid }} atLine />
      ))}
      {isWriting ? (
        <Writer {...{ place, num }} anchor={props.anchor} onDone={() => onWrite(false)} />
      ) : (
        mayWrite && (
          <Button size="sm" onClick={() => onWrite(true)} className="self-start">
            {t('pulls.reply')}
          </Button>
        )
      )}
    </div>
  );
}

function Writer(props: { place: CommentPlace; num: number; anchor: ThreadAnchor; onDone: () => void }) {
  const t = useTranslator();
  const { place, num, anchor, onDone } = props;
  const [text, setText] = useState('');
  const { busy, error, run } = useAction();
  const send = async () => {
    const body = { comment: text, ...anchor };
    if (await run(() => callHub('POST', discussionApi(place.repo, num, 'comment'), body))) onDone();
  };
  return (
    <div className="flex flex-col gap-2.5">
      <CommentField
        place={place}
        text={text}
        onText={setText}
        label={t('pulls.commentLabel')}
        rows={3}
        takesFocus
        onCancel={onDone}
      />
      <FormError error={error} />
      <div className="flex justify-end gap-2">
        <Button size="sm" onClick={onDone}>
          {t('words.cancel')}
        </Button>
        <Button size="sm" look="accent" disabled={busy || text.trim() === ''} onClick={send}>
          {t('pulls.comment')}
        </Button>
      </div>
    </div>
  );
}
