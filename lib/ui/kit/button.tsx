import { cva, type VariantProps } from 'class-variance-authority';
import Link from 'next/link';
import type { ComponentProps } from 'react';
import { cn } from '../cn.ts';

const buttonClasses = cva(
  'inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors disabled:opacity-55 aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      look: {
        accent: 'bg-accent text-on-accent hover:bg-accent-hover',
        plain: 'border border-line-strong bg-surface text-fg hover:bg-hover',
        quiet: 'text-fg hover:bg-hover',
        danger: 'border border-bad bg-surface text-bad hover:bg-bad-soft',
      },
      size: {
        sm: 'h-7 px-2 text-sm max-md:h-9',
        md: 'h-9 px-3.5 text-base max-md:h-11',
        icon: 'size-8 max-md:size-11',
      },
    },
    defaultVariants: { look: 'plain', size: 'md' },
  },
);

type Looks = VariantProps<typeof buttonClasses>;

/** The button of the house. `accent` is for the one thing to do next. */
export function Button({
  look,
  size,
  className,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & Looks) {
  return <button type={type} className={cn(buttonClasses({ look, size }), className)} {...rest} />;
}

/** A link that looks like a button: it goes somewhere and changes nothing. */
export function ButtonLink({ look, size, className, ...rest }: ComponentProps<typeof Link> & Looks) {
  return <Link className={cn(buttonClasses({ look, size }), className)} {...rest} />;
}

/** A plain anchor that looks like a button, for addresses outside of the pages (downloads, raw bytes). */
export function ButtonAnchor({ look, size, className, children, ...rest }: ComponentProps<'a'> & Looks) {
  return (
    <a className={cn(buttonClasses({ look, size }), className)} {...rest}>
      {children}
    </a>
  );
}
