import type { ComponentProps, ReactNode } from 'react';
import { cn } from '../cn.ts';

/** A card with a hairline border; no shadow, since it does not float. */
export function Panel({ className, ...rest }: ComponentProps<'section'>) {
  return <section className={cn('rounded-lg border border-line bg-surface', className)} {...rest} />;
}

/** The first line of a panel: its name left, what can be done right. */
export function PanelHeader({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-line px-4 py-1.5">
      <h2 className="font-semibold">{title}</h2>
      {children}
    </header>
  );
}

/** Says what would be here and how to make it so. */
export function EmptyState(props: {
  title: string;
  text?: ReactNode;
  children?: ReactNode;
  icon?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-12 text-center [&>svg]:size-6 [&>svg]:text-muted">
      {props.icon}
      <p className="text-lg font-semibold">{props.title}</p>
      {props.text && <p className="max-w-prose text-muted">{props.text}</p>}
      {props.children && (
        <div className="mt-2 flex w-full max-w-xl flex-col items-center gap-3">{props.children}</div>
      )}
    </div>
  );
}

/** Says what went wrong inside a part of a page whose rest is fine. */
export function Notice(props: { tone: 'bad' | 'warn' | 'info'; title: ReactNode; children?: ReactNode }) {
  const tones = {
    bad: 'border-bad/40 bg-bad-soft text-bad',
    warn: 'border-warn/40 bg-warn-soft text-warn',
    info: 'border-info/40 bg-info-soft text-info',
  };
  return (
    <div className={cn('rounded-lg border px-4 py-3 break-words', tones[props.tone])}>
      <p className="font-medium">{props.title}</p>
      {props.children && <div className="mt-1 text-sm text-fg">{props.children}</div>}
    </div>
  );
}
