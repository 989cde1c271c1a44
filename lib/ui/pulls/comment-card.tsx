'use client';

import { Ellipsis, EyeOff, FileDiff, Pencil } from 'lucide-react';
import Link from 'next/link';
import { type ReactNode, useState } from 'react';
import { FormError } from '../account/form-error.tsx';
import { discussionAddress, discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Menu, MenuItem } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';
import type { ShownComment } from '../view-models/discussion-page.ts';
import { CommentBody } from './comment-body.tsx';
import { CommentField, type CommentPlace } from './comment-field.tsx';
import { useAction } from './use-action.ts';

interface Props {
  readonly place: CommentPlace;
  readonly num: number;
  readonly comment: ShownComment;
  /** When it was written, as the reader counts it. */
  readonly when: ReactNode;
  /** Head of the pull request now; null for a discussion. */
  readonly headOid: string | null;
  /** It stands beside its line: where that is needs no words. */
  readonly atLine?: boolean;
}

/** A comment with who wrote it, and what the reader may do with it. */
export function CommentCard({ place, num, comment, when, headOid, atLine = false }: Props) {
  const t = useTranslator();
  const [mode, setMode] = useState<'read' | 'edit' | 'hide'>('read');
  const author = comment.author ?? t('pulls.deletedUser');
  return (
    <article
      id={`comment-${comment.id}`}
      className="scroll-mt-20 overflow-hidden rounded-lg border border-line bg-surface"
    >
      <header className="flex min-h-10 items-start justify-between gap-2 border-b border-line bg-sunken px-3 py-1 text-sm">
        <div className="flex min-h-8 min-w-0 flex-wrap items-center gap-x-2 gap-y-0.5 max-md:min-h-11">
          <Avatar name={author} size={22} />
          {comment.author === null ? (
            <span className="text-muted">{author}</span>
          ) : (
            <Link href={`/${encodeURIComponent(comment.author)}`} className="font-medium hover:underline">
              {author}
            </Link>
          )}
          <span className="text-muted">{when}</span>
          {comment.editedAt && <span className="text-muted">· {t('pulls.edited')}</span>}
          {comment.anchor && (
            <AnchorChip place={place} num={num} anchor={comment.anchor} headOid={headOid} atLine={atLine} />
          )}
        </div>
        {(comment.mayEdit || comment.mayHide) && (
          <Menu
            trigger={
              <Button look="quiet" size="icon" aria-label={t('pulls.actions')} className="-mr-1.5">
                <Ellipsis />
              </Button>
            }
          >
            {comment.mayEdit && (
              <MenuItem onSelect={() => setMode('edit')}>
                <Pencil />
                {t('pulls.edit')}
              </MenuItem>
            )}
            {comment.mayHide && (
              <MenuItem onSelect={() => setMode('hide')}>
                <EyeOff />
                {t('pulls.hide')}
              </MenuItem>
            )}
          </Menu>
        )}
      </header>
      <div className="px-4 py-3">
        {mode === 'edit' ? (
          <EditForm place={place} num={num} comment={comment} onDone={() => setMode('read')} />
        ) : (
          <CommentBody comment={comment} />
        )}
      </div>
      <HideDialog
        open={mode === 'hide'}
        onDone={() => setMode('read')}
        api={discussionApi(place.repo, num, `comment/${comment.id}/hide`)}
      />
    </article>
  );
}

function AnchorChip(props: {
  place: CommentPlace;
  num: number;
  anchor: NonNullable<ShownComment['anchor']>;
  headOid: string | null;
  atLine: boolean;
}) {
  const t = useTranslator();
  const { path, line, commitOid } = props.anchor;
  const isOutdated = props.headOid !== null && props.headOid !== commitOid;
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-1.5">
      {!props.atLine && (
        <Link
          href={discussionAddress(props.place.repo, props.num, 'files')}
          className="inline-flex min-w-0 items-center gap-1.5 rounded-md bg-hover px-1.5 font-mono text-xs break-all text-muted hover:text-fg"
        >
          <FileDiff className="size-3.5 shrink-0" aria-hidden="true" />
          {t('pulls.atLine', { path, line: String(line) })}
        </Link>
      )}
      {isOutdated && (
        <span className="rounded-md bg-warn-soft px-1.5 text-xs text-warn">{t('pulls.outdated')}</span>
      )}
    </span>
  );
}

function EditForm(props: { place: CommentPlace; num: number; comment: ShownComment; onDone: () => void }) {
  const t = useTranslator();
  const { place, num, comment, onDone } = props;
  const [text, setText] = useState(comment.raw);
  const { busy, error, run } = useAction();
  const save = async () => {
    const api = discussionApi(place.repo, num, `comment/${comment.id}/edit`);
    if (await run(() => callHub('POST', api, { content: text }))) onDone();
  };
  return (
    <div className="flex flex-col gap-3">
      <CommentField place={place} text={text} onText={setText} label={t('pulls.commentLabel')} takesFocus />
      <FormError error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t('words.cancel')}</Button>
        <Button look="accent" disabled={busy || text.trim() === ''} onClick={save}>
          {t('pulls.save')}
        </Button>
      </div>
    </div>
  );
}

function HideDialog({ open, onDone, api }: { open: boolean; onDone: () => void; api: string }) {
  const t = useTranslator();
  const { busy, error, run } = useAction();
  const hide = async () => {
    if (await run(() => callHub('POST', api))) onDone();
  };
  return (
    <Dialog
      open={open}
      onOpenChange={(now) => !now && onDone()}
      title={t('pulls.hideTitle')}
      text={t('pulls.hideText')}
    >
      <FormError error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t('words.cancel')}</Button>
        <Button look="danger" disabled={busy} onClick={hide}>
          {t('pulls.hide')}
        </Button>
      </div>
    </Dialog>
  );
}
