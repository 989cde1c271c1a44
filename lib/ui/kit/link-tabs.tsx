import Link from 'next/link';
import type { ReactNode } from 'react';
import { cn } from '../cn.ts';

export interface LinkTab {
  readonly href: string;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly count?: string | null;
  readonly current: boolean;
}

/** The sections of a thing, each with its own address. On a phone they wrap, so that none is out of sight. */
export function LinkTabs({ label, tabs }: { label: string; tabs: readonly LinkTab[] }) {
  return (
    <nav aria-label={label} className="-mb-px flex gap-x-1 max-md:-mx-1 max-md:flex-wrap max-md:gap-x-0">
      {tabs.map((tab) => (
        <Link
          key={tab.href}
          href={tab.href}
          aria-current={tab.current ? 'page' : undefined}
          className={cn(
            'flex h-10 items-center gap-2 border-b-2 border-transparent px-3 whitespace-nowrap text-muted hover:text-fg focus-visible:-outline-offset-2 max-md:h-11 max-md:px-1.5 [&>svg]:size-4 max-md:[&>svg]:hidden',
            tab.current && 'border-accent font-medium text-fg',
          )}
        >
          {tab.icon}
          {tab.label}
          {tab.count && (
            <span className="tabular rounded-md bg-hover px-1.5 text-xs text-muted">{tab.count}</span>
          )}
        </Link>
      ))}
    </nav>
  );
}
