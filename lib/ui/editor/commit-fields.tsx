'use client';

import { Field, Input, TextArea } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

/** Where a change goes. */
export type Target = 'branch' | 'pull';

interface Props {
  readonly branch: string;
  /** False: the reader can only propose the change. */
  readonly mayWrite: boolean;
  readonly target: Target;
  readonly onTarget: (target: Target) => void;
  /** What the commit is called when nothing is written. */
  readonly placeholder: string;
  readonly summary?: string;
  readonly description?: string;
}

function TargetChoice({ branch, target, onTarget }: Pick<Props, 'branch' | 'target' | 'onTarget'>) {
  const t = useTranslator();
  const option = (value: Target, label: string) => (
    <label className="flex items-center gap-2">
      <input
        type="radio"
        name="target"
        value={value}
        checked={target === value}
        onChange={() => onTarget(value)}
        className="accent-(--ring)"
      />
      {label}
    </label>
  );
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="sr-only">{t('edit.target')}</legend>
      {option('branch', t('edit.toBranch', { branch }))}
      {option('pull', t('edit.toPull'))}
    </fieldset>
  );
}

/** What every commit from a page asks: its message (fields `summary` and `description`) and where it goes. */
export function CommitFields(props: Props) {
  const t = useTranslator();
  return (
    <>
      <Field id="summary" label={t('edit.summary')}>
        <Input
          id="summary"
          name="summary"
          maxLength={200}
          placeholder={props.placeholder}
          defaultValue={props.summary}
          autoComplete="off"
        />
      </Field>
      <Field id="description" label={t('edit.description')}>
        <TextArea
          id="description"
          name="description"
          rows={3}
          maxLength={10_000}
          defaultValue={props.description}
        />
      </Field>
      {props.mayWrite ? (
        <TargetChoice {...props} />
      ) : (
        <p className="text-sm text-muted">{t('edit.proposeOnly')}</p>
      )}
    </>
  );
}
