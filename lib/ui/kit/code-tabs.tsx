'use client';

import { Tabs } from 'radix-ui';
import { CodeBlock } from './code-block.tsx';

export interface Snippet {
  readonly id: string;
  readonly label: string;
  readonly code: string;
}

/** The same deed with several tools: one tab each. */
export function CodeTabs({ snippets, label }: { snippets: readonly Snippet[]; label: string }) {
  return (
    <Tabs.Root defaultValue={snippets[0]?.id ?? ''} className="flex min-w-0 flex-col gap-2">
      <Tabs.List aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line">
        {snippets.map((snippet) => (
          <Tabs.Trigger
            key={snippet.id}
            value={snippet.id}
            className="-mb-px h-9 border-b-2 border-transparent px-2.5 text-sm whitespace-nowrap text-muted hover:text-fg focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-fg max-md:h-11"
          >
            {snippet.label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {snippets.map((snippet) => (
        <Tabs.Content key={snippet.id} value={snippet.id} tabIndex={-1}>
          <CodeBlock code={snippet.code} />
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
