import type { ComponentProps, ReactNode } from 'react';
import { cn } from '../cn.ts';

const boxClasses =
  'w-full rounded-md border border-line-strong bg-surface px-3 text-base text-fg focus-visible:outline-offset-0 aria-invalid:border-bad disabled:opacity-55';

/** A one-line text input. Needs a label: wrap it in Field or give it aria-label. */
export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={cn(boxClasses, 'h-9 max-md:h-11', className)} {...rest} />;
}

/** A text input of several lines. */
export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea className={cn(boxClasses, 'py-2', className)} {...rest} />;
}

/** The browser's own select: the best there is on phones and for screen readers. */
export function Select({ className, ...rest }: ComponentProps<'select'>) {
  return <select className={cn(boxClasses, 'h-9 pr-8 max-md:h-11', className)} {...rest} />;
}

/** A labelled input with its hint and its error. `id` must be the input's own. */
export function Field(props: {
  id: string;
  label: string;
  hint?: string;
  error?: string | null;
  children: ReactNode;
}) {
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={props.id} className="font-medium">
        {props.label}
      </label>
      {props.children}
      {props.hint && (
        <p id={`${props.id}-hint`} className="text-sm text-muted">
          {props.hint}
        </p>
      )}
      {props.error && (
        <p id={`${props.id}-error`} role="alert" className="text-sm text-bad">
          {props.error}
        </p>
      )}
    </div>
  );
}
