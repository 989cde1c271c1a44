'use client';

import { Ellipsis, Pencil, Pin, PinOff, Trash2, Unlink } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { discussionAddress, discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Input } from '../kit/field.tsx';
import { Menu, MenuItem, MenuLine } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';
import { useAction } from './use-action.ts';
import { useFocus } from './use-focus.ts';

interface Props {
  readonly repo: RepoRef;
  readonly num: number;
  readonly title: string;
  readonly isPinned: boolean;
  readonly maySteer: boolean;
  readonly mayMaintain: boolean;
  /** The pull request is over and its ref still there. */
  readonly hasOldRef: boolean;
}

/** The title, which who may can change in place, and what else can be done with the whole. */
export function DiscussionTitle(props: Props) {
  const [isEditing, setEditing] = useState(false);
  if (isEditing) return <TitleForm {...props} onDone={() => setEditing(false)} />;
  return (
    <div className="flex items-start justify-between gap-3">
      <h2 className="min-w-0 text-xl leading-8 font-semibold break-words">
        {props.title} <span className="tabular font-normal text-muted">#{props.num}</span>
      </h2>
      {(props.maySteer || props.mayMaintain) && <Actions {...props} onRename={() => setEditing(true)} />}
    </div>
  );
}

function TitleForm({ repo, num, title, onDone }: Props & { onDone: () => void }) {
  const t = useTranslator();
  const ref = useFocus<HTMLInputElement>(true);
  const [text, setText] = useState(title);
  const { busy, error, run } = useAction();
  const save = async () => {
    if (text.trim() === title) onDone();
    else if (await run(() => callHub('POST', discussionApi(repo, num, 'title'), { title: text }))) onDone();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      className="flex flex-col gap-2"
    >
      <div className="flex flex-wrap gap-2">
        <Input
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-label={t('pulls.title')}
          maxLength={200}
          ref={ref}
          className="flex-1 basis-64"
        />
        <Button onClick={onDone}>{t('words.cancel')}</Button>
        <Button type="submit" look="accent" disabled={busy}>
          {t('pulls.save')}
        </Button>
      </div>
      <FormError error={error} />
    </form>
  );
}

function Actions(props: Props & { onRename: () => void }) {
  const t = useTranslator();
  const { repo, num, isPinned } = props;
  const [isDeleting, setDeleting] = useState(false);
  const { error, run } = useAction();
  return (
    <div className="flex shrink-0 items-center gap-2">
      {error && <span className="text-sm text-bad">{error}</span>}
      <Menu
        trigger={
          <Button size="icon" look="quiet" aria-label={t('pulls.more')}>
            <Ellipsis />
          </Button>
        }
      >
        {props.maySteer && (
          <MenuItem onSelect={props.onRename}>
            <Pencil />
            {t('pulls.rename')}
          </MenuItem>
        )}
        {props.mayMaintain && (
          <>
            <MenuItem
              onSelect={() =>
                void run(() => callHub('POST', discussionApi(repo, num, 'pin'), { pinned: !isPinned }))
              }
            >
              {isPinned ? <PinOff /> : <Pin />}
              {t(isPinned ? 'pulls.unpin' : 'pulls.pin')}
            </MenuItem>
            <MenuLine />
            {props.hasOldRef && (
              <MenuItem onSelect={() => void run(() => callHub('DELETE', discussionApi(repo, num, 'ref')))}>
                <Unlink />
                {t('pulls.deleteRef')}
              </MenuItem>
            )}
            <MenuItem onSelect={() => setDeleting(true)} className="text-bad">
              <Trash2 />
              {t('pulls.delete')}
            </MenuItem>
          </>
        )}
      </Menu>
      <DeleteDialog repo={repo} num={num} open={isDeleting} onClose={() => setDeleting(false)} />
    </div>
  );
}

function DeleteDialog(props: { repo: RepoRef; num: number; open: boolean; onClose: () => void }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { repo, num } = props;
  const { busy, error, run } = useAction();
  const remove = () =>
    run(async () => {
      await callHub('DELETE', discussionApi(repo, num));
      router.push(discussionAddress(repo));
    });
  return (
    <Dialog
      open={props.open}
      onOpenChange={(now) => !now && props.onClose()}
      title={t('pulls.deleteTitle', { num: String(num) })}
      text={t('pulls.deleteText')}
    >
      <FormError error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={props.onClose}>{t('words.cancel')}</Button>
        <Button look="danger" disabled={busy} onClick={remove}>
          {t('pulls.delete')}
        </Button>
      </div>
    </Dialog>
  );
}
