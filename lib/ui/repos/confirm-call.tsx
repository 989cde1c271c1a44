'use client';

import { useRouter } from 'next/navigation';
import { type ComponentProps, type ReactNode, useState } from 'react';
import { toast } from 'sonner';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

/** A change of the hub that a button asks about first. */
export interface HubCall {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * A button that says in a dialog what it will do, does it, and then shows the page anew or goes to `goTo`. With
 * `phrase` the reader has to type it first.
 */
export function ConfirmCall(props: {
  call: HubCall;
  label: string;
  icon?: ReactNode;
  /** Shows the icon alone; the label is read aloud. */
  iconOnly?: boolean;
  look?: ComponentProps<typeof Button>['look'];
  title: string;
  text: string;
  confirm: string;
  done: string;
  goTo?: string;
  phrase?: string;
}) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        size={props.iconOnly ? 'icon' : 'sm'}
        look={props.look ?? 'plain'}
        onClick={() => setOpen(true)}
        {...(props.iconOnly && { 'aria-label': props.label, title: props.label })}
      >
        {props.icon}
        {!props.iconOnly && props.label}
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={props.title} text={props.text}>
        <ConfirmForm {...props} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function ConfirmForm(props: ComponentProps<typeof ConfirmCall> & { onDone: () => void }) {
  const [t, router] = [useTranslator(), useRouter()];
  const [typed, setTyped] = useState('');
  const { busy, error, onSubmit } = useForm(async () => {
    await callHub(props.call.method, props.call.path, props.call.body);
    toast.success(props.done);
    props.onDone();
    if (props.goTo) router.push(props.goTo);
    router.refresh();
  });
  const isDeletion = props.look === 'danger' || props.call.method === 'DELETE';
  const mayGo = props.phrase === undefined || typed === props.phrase;
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      {props.phrase !== undefined && (
        <Field id="phrase" label={t('history.typeToConfirm', { phrase: props.phrase })}>
          <Input
            id="phrase"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
        </Field>
      )}
      <FormError error={error} />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={props.onDone}>{t('words.cancel')}</Button>
        <Button type="submit" look={isDeletion ? 'danger' : 'accent'} disabled={busy || !mayGo}>
          {busy ? t('account.working') : props.confirm}
        </Button>
      </div>
    </form>
  );
}
