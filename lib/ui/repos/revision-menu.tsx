'use client';

import { ChevronDown, GitBranch, Tag } from 'lucide-react';
import Link from 'next/link';
import { visibleText } from '#lib/base/visible-text.ts';
import { Button } from '../kit/button.tsx';
import { Menu, MenuItem, MenuLabel } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';

interface Option {
  readonly name: string;
  readonly href: string;
}

/** Goes to the same place at another branch or tag. */
export function RevisionMenu(props: {
  current: string;
  branches: readonly Option[];
  tags: readonly Option[];
}) {
  const t = useTranslator();
  return (
    <Menu
      align="start"
      trigger={
        <Button size="sm" aria-label={`${t('repo.revision')}: ${props.current}`} className="max-w-60">
          <GitBranch />
          <span className="truncate font-mono">{props.current}</span>
          <ChevronDown />
        </Button>
      }
    >
      <Options label={t('repo.branches')} options={props.branches} icon={<GitBranch />} />
      <Options label={t('repo.tags')} options={props.tags} icon={<Tag />} />
    </Menu>
  );
}

function Options({
  label,
  options,
  icon,
}: {
  label: string;
  options: readonly Option[];
  icon: React.ReactNode;
}) {
  if (options.length === 0) return null;
  return (
    <>
      <MenuLabel>{label}</MenuLabel>
      {options.map(({ name, href }) => (
        <MenuItem key={href} asChild>
          <Link href={href} className="font-mono text-sm">
            {icon}
            {visibleText(name)}
          </Link>
        </MenuItem>
      ))}
    </>
  );
}
