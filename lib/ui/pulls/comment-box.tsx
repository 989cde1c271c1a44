'use client';

import { useState } from 'react';
import { FormError } from '../account/form-error.tsx';
import { discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { CommentField, type CommentPlace } from './comment-field.tsx';
import { useAction } from './use-action.ts';

/** What the reader may do with the state besides commenting; null: nothing. */
export type NextStatus = 'publish' | 'close' | 'reopen' | null;

/** Writes a comment at the end of a conversation; closes, reopens or publishes it, with what was written if anything. */
export function CommentBox(props: {
  place: CommentPlace;
  num: number;
  /** Other things that can be done with the state, in order. */
  next: readonly Exclude<NextStatus, null>[];
}) {
  const t = useTranslator();
  const { place, num, next } = props;
  const [text, setText] = useState('');
  const { busy, error, run } = useAction();
  const isEmpty = text.trim() === '';
  const send = async (work: () => Promise<unknown>) => {
    if (await run(work)) setText('');
  };
  const comment = () =>
    send(() => callHub('POST', discussionApi(place.repo, num, 'comment'), { comment: text }));
  const setStatus = (status: 'open' | 'closed') =>
    send(() =>
      callHub('POST', discussionApi(place.repo, num, 'status'), {
        status,
        ...(!isEmpty && { comment: text }),
      }),
    );
  const labels = {
    publish: t('pulls.publish'),
    close: t(isEmpty ? 'pulls.close' : 'pulls.closeWithComment'),
    reopen: t('pulls.reopen'),
  };
  return (
    <div className="flex flex-col gap-3">
      <CommentField place={place} text={text} onText={setText} label={t('pulls.commentLabel')} />
      <FormError error={error} />
      <div className="flex flex-wrap justify-end gap-2">
        {next.map((each) => (
          <Button key={each} disabled={busy} onClick={() => setStatus(each === 'close' ? 'closed' : 'open')}>
            {labels[each]}
          </Button>
        ))}
        <Button look="accent" disabled={busy || isEmpty} onClick={comment}>
          {t('pulls.comment')}
        </Button>
      </div>
    </div>
  );
}
