'use client';

import { type FormEvent, useState } from 'react';
import { CallError } from '../call-hub.ts';
import { useTranslator } from '../reader.tsx';

/** A form's fields as strings, with the name and value of the button that was pressed. */
export type Fields = Readonly<Record<string, string>>;

interface FormState {
  readonly busy: boolean;
  /** What the hub said no to, in words to show. */
  readonly error: string | null;
  readonly onSubmit: (event: FormEvent<HTMLFormElement>) => void;
}

/**
 * Runs `send` when the form is sent; shows one refusal at a time. `send` returns a text to refuse by itself, or
 * nothing; with `stayBusy` the form stays locked after success, because the page goes elsewhere.
 */
export function useForm(
  send: (fields: Fields, form: HTMLFormElement) => Promise<string | void>,
  options: { stayBusy?: boolean } = {},
): FormState {
  const t = useTranslator();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const run = async (form: HTMLFormElement, pressed: HTMLElement | null) => {
    const fields = Object.fromEntries(
      [...new FormData(form, pressed)].map(([name, value]) => [name, String(value)]),
    );
    setBusy(true);
    setError(null);
    let refusal: string | null;
    try {
      refusal = (await send(fields, form)) ?? null;
    } catch (failure) {
      refusal = (failure instanceof CallError && failure.message) || t('words.requestFailed');
    }
    setError(refusal);
    if (refusal !== null || !options.stayBusy) setBusy(false);
  };
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!busy) void run(event.currentTarget, (event.nativeEvent as SubmitEvent).submitter);
  };
  return { busy, error, onSubmit };
}
