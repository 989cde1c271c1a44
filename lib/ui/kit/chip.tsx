import { cva, type VariantProps } from 'class-variance-authority';
import type { ComponentProps } from 'react';
import { cn } from '../cn.ts';

const chipClasses = cva(
  'inline-flex max-w-full items-center gap-1.5 rounded-md border px-2 text-sm leading-6 [&_svg]:size-3.5 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        plain: 'border-line bg-surface text-fg',
        muted: 'border-transparent bg-hover text-muted',
        accent: 'border-transparent bg-accent-soft text-accent-text',
        ok: 'border-transparent bg-ok-soft text-ok',
        bad: 'border-transparent bg-bad-soft text-bad',
        warn: 'border-transparent bg-warn-soft text-warn',
        info: 'border-transparent bg-info-soft text-info',
      },
    },
    defaultVariants: { tone: 'plain' },
  },
);

/** A short fact: a task, a format, a state. Colour never stands alone: there is always a word in it. */
export function Chip({
  tone,
  className,
  ...rest
}: ComponentProps<'span'> & VariantProps<typeof chipClasses>) {
  return <span className={cn(chipClasses({ tone }), className)} {...rest} />;
}
