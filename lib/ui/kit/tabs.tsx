'use client';

import { Tabs as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

export interface Tab {
  readonly id: string;
  readonly label: string;
  readonly content: ReactNode;
}

/** Several views of one thing at one address. */
export function Tabs({ tabs, label, note }: { tabs: readonly Tab[]; label: string; note?: string }) {
  return (
    <Radix.Root defaultValue={tabs[0]?.id ?? ''}>
      <div className="flex flex-wrap items-center gap-x-3 border-b border-line pr-4 pl-2">
        <Radix.List aria-label={label} className="flex gap-1 overflow-x-auto">
          {tabs.map((tab) => (
            <Radix.Trigger
              key={tab.id}
              value={tab.id}
              className="tabular h-10 border-b-2 border-transparent px-2.5 text-sm whitespace-nowrap text-muted hover:text-fg focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-fg max-md:h-11"
            >
              {tab.label}
            </Radix.Trigger>
          ))}
        </Radix.List>
        {note && <span className="ml-auto text-sm text-muted">{note}</span>}
      </div>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} tabIndex={-1}>
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
