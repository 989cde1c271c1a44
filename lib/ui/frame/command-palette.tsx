'use client';

import { Command } from 'cmdk';
import { Boxes, Database, House, KeyRound, Package, Plus, Search, Settings } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslator } from '../reader.tsx';
import { type FoundRepo, useRepoSearch } from './use-repo-search.ts';

const groupClasses =
  '[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted';

function Item(props: { value: string; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item
      value={props.value}
      onSelect={props.onSelect}
      className="flex min-h-10 cursor-pointer items-center gap-2.5 rounded-md px-2.5 data-[selected=true]:bg-hover max-md:min-h-11 [&>svg]:size-4 [&>svg]:shrink-0 [&>svg]:text-muted"
    >
      {props.children}
    </Command.Item>
  );
}

function Found({ repos, go }: { repos: readonly FoundRepo[]; go: (href: string) => void }) {
  const t = useTranslator();
  return (['model', 'dataset'] as const).map((type) => {
    const some = repos.filter((repo) => repo.type === type);
    if (some.length === 0) return null;
    const Icon = type === 'model' ? Package : Database;
    return (
      <Command.Group
        key={type}
        heading={t(type === 'model' ? 'frame.models' : 'frame.datasets')}
        className={groupClasses}
      >
        {some.map((repo) => (
          <Item key={repo.href} value={repo.href} onSelect={() => go(repo.href)}>
            <Icon />
            <span className="truncate font-mono text-sm">{repo.name}</span>
          </Item>
        ))}
      </Command.Group>
    );
  });
}

function Pages({ query, signedIn, go }: { query: string; signedIn: boolean; go: (href: string) => void }) {
  const t = useTranslator();
  const pages = [
    { href: '/', label: t('frame.home'), Icon: House },
    { href: '/models', label: t('frame.models'), Icon: Package },
    { href: '/datasets', label: t('frame.datasets'), Icon: Database },
    { href: '/endpoints', label: t('frame.endpoints'), Icon: Boxes },
    ...(signedIn
      ? [
          { href: '/new', label: t('frame.newModel'), Icon: Plus },
          { href: '/new?type=dataset', label: t('frame.newDataset'), Icon: Plus },
          { href: '/settings/tokens', label: t('frame.tokens'), Icon: KeyRound },
          { href: '/settings', label: t('frame.settings'), Icon: Settings },
        ]
      : []),
  ].filter((page) => page.label.toLowerCase().includes(query.toLowerCase()));
  if (pages.length === 0) return null;
  return (
    <Command.Group heading={t('frame.pages')} className={groupClasses}>
      {pages.map(({ href, label, Icon }) => (
        <Item key={href} value={`page ${href}`} onSelect={() => go(href)}>
          <Icon />
          {label}
        </Item>
      ))}
    </Command.Group>
  );
}

/** Opens on ⌘K or Ctrl+K anywhere, or from the search button: models, datasets and pages by a few letters. */
export function CommandPalette({ signedIn }: { signedIn: boolean }) {
  const [t, router] = [useTranslator(), useRouter()];
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState('');
  const { repos, state } = useRepoSearch(open ? query : '');
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setOpen((was) => !was);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  const go = (href: string) => {
    setOpen(false);
    setQuery('');
    router.push(href);
  };
  const status = { idle: '', searching: t('frame.searching'), failed: t('frame.searchFailed'), done: '' }[
    state
  ];
  return (
    <>
      <PaletteButton onOpen={() => setOpen(true)} />
      <Command.Dialog
        open={open}
        onOpenChange={setOpen}
        shouldFilter={false}
        label={t('frame.searchHint')}
        overlayClassName="fixed inset-0 z-50 bg-black/40"
        contentClassName="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-lg border border-line bg-surface shadow-float"
      >
        <div className="flex items-center gap-2.5 border-b border-line px-4 text-muted">
          <Search className="size-4 shrink-0" />
          <Command.Input
            value={query}
            onValueChange={setQuery}
            placeholder={t('frame.searchHint')}
            className="h-12 w-full bg-transparent text-lg text-fg outline-none"
          />
        </div>
        <Command.List className="max-h-[56vh] overflow-y-auto p-1.5">
          {status && <p className="px-2.5 py-2 text-sm text-muted">{status}</p>}
          <Found repos={repos} go={go} />
          <Pages query={query} signedIn={signedIn} go={go} />
          {state === 'done' && (
            <Command.Empty className="px-2.5 py-6 text-center text-muted">
              {t('frame.noMatches', { query })}
            </Command.Empty>
          )}
        </Command.List>
      </Command.Dialog>
    </>
  );
}

function PaletteButton({ onOpen }: { onOpen: () => void }) {
  const t = useTranslator();
  return (
    <button
      type="button"
      onClick={onOpen}
      aria-keyshortcuts="Control+K Meta+K"
      className="flex h-8 items-center gap-2 rounded-md border border-line-strong bg-surface px-2.5 text-sm text-muted hover:bg-hover max-md:size-11 max-md:justify-center max-md:border-transparent max-md:bg-transparent max-md:px-0 md:w-40 lg:w-56"
    >
      <Search className="size-4 shrink-0" />
      <span className="max-md:sr-only">{t('frame.search')}</span>
      <kbd className="ml-auto rounded border border-line px-1 text-xs max-md:hidden">⌘K</kbd>
    </button>
  );
}
