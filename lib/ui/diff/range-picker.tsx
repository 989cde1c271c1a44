'use client';

import { ArrowLeft, ArrowLeftRight } from 'lucide-react';
import { useRouter } from 'next/navigation';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { Button } from '../kit/button.tsx';
import { Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import type { RangeChoices } from '../view-models/compare-page.ts';

type Mode = 'two-dot' | 'three-dot';

/** Chooses the two sides of a comparison and how they are compared; each choice is an address of its own. */
export function RangePicker(props: {
  repo: RepoRef;
  choices: RangeChoices;
  base: string;
  head: string;
  mode: Mode;
}) {
  const t = useTranslator();
  const router = useRouter();
  const { repo, choices, base, head, mode } = props;
  const go = (next: { base?: string; head?: string; mode?: Mode }) => {
    const dots = (next.mode ?? mode) === 'three-dot' ? '...' : '..';
    router.push(fileAddress(repo, 'compare', `${next.base ?? base}${dots}${next.head ?? head}`));
  };
  return (
    <div className="flex flex-wrap items-end gap-x-3 gap-y-2">
      <Side
        label={t('diff.base')}
        className="max-md:w-full"
        value={base}
        choices={choices}
        onChange={(name) => go({ base: name })}
      />
      <ArrowLeft className="mb-2.5 size-4 text-muted max-md:hidden" aria-hidden="true" />
      <Side
        label={t('diff.head')}
        className="max-md:flex-1"
        value={head}
        choices={choices}
        onChange={(name) => go({ head: name })}
      />
      <Button
        look="quiet"
        size="icon"
        className="mb-0.5"
        onClick={() => go({ base: head, head: base })}
        aria-label={t('diff.swap')}
        title={t('diff.swap')}
      >
        <ArrowLeftRight />
      </Button>
      <label className="flex flex-col gap-1 text-sm text-muted max-md:w-full">
        {t('diff.mode')}
        <Select value={mode} onChange={(event) => go({ mode: event.target.value as Mode })}>
          <option value="three-dot">{t('diff.threeDot')}</option>
          <option value="two-dot">{t('diff.twoDot')}</option>
        </Select>
      </label>
    </div>
  );
}

function Side(props: {
  label: string;
  className: string;
  value: string;
  choices: RangeChoices;
  onChange: (name: string) => void;
}) {
  const t = useTranslator();
  const { branches, tags, pullRequests, commits } = props.choices;
  const known = [...branches, ...tags, ...pullRequests, ...commits.map(({ oid }) => oid)];
  const isShort = /^[0-9a-f]{40}$/.test(props.value);
  const group = (label: string, names: readonly string[]) =>
    names.length > 0 && (
      <optgroup label={label}>
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </optgroup>
    );
  return (
    <label className={cn('flex min-w-0 flex-col gap-1 text-sm text-muted', props.className)}>
      {props.label}
      <Select
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
        className="min-w-44 font-mono text-sm md:max-w-72"
      >
        {!known.includes(props.value) && (
          <option value={props.value}>{isShort ? props.value.slice(0, 9) : props.value}</option>
        )}
        {group(t('repo.branches'), branches)}
        {group(t('repo.tags'), tags)}
        {group(t('diff.pullRequests'), pullRequests)}
        {commits.length > 0 && (
          <optgroup label={t('diff.recentCommits')}>
            {commits.map(({ oid, title }) => (
              <option key={oid} value={oid}>{`${oid.slice(0, 7)} ${title.slice(0, 60)}`}</option>
            ))}
          </optgroup>
        )}
      </Select>
    </label>
  );
}
