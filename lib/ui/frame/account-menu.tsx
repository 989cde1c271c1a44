'use client';

import { Database, KeyRound, LogOut, Package, Plus, Settings, User } from 'lucide-react';
import Link from 'next/link';
import { toast } from 'sonner';
import { signOut } from '../account/session-calls.ts';
import { Avatar } from '../kit/avatar.tsx';
import { Button } from '../kit/button.tsx';
import { Menu, MenuItem, MenuLabel, MenuLine } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';

/** What a signed-in reader can make. */
export function NewMenu() {
  const t = useTranslator();
  return (
    <Menu
      trigger={
        <Button look="plain" size="sm" aria-label={t('frame.new')}>
          <Plus />
          <span className="max-md:hidden">{t('frame.new')}</span>
        </Button>
      }
    >
      <MenuItem asChild>
        <Link href="/new">
          <Package />
          {t('frame.newModel')}
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <Link href="/new?type=dataset">
          <Database />
          {t('frame.newDataset')}
        </Link>
      </MenuItem>
    </Menu>
  );
}

/** The reader's own corner: profile, settings, tokens, the way out. */
export function AccountMenu({ name }: { name: string }) {
  const t = useTranslator();
  const leave = async () => {
    try {
      await signOut();
      window.location.assign('/');
    } catch {
      toast.error(t('words.requestFailed'));
    }
  };
  return (
    <Menu
      trigger={
        <button
          type="button"
          aria-label={t('frame.account')}
          className="flex size-8 items-center justify-center rounded-full max-md:size-11"
        >
          <Avatar name={name} size={28} />
        </button>
      }
    >
      <MenuLabel>{t('frame.signedInAs', { name })}</MenuLabel>
      <MenuItem asChild>
        <Link href={`/${encodeURIComponent(name)}`}>
          <User />
          {t('frame.profile')}
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <Link href="/settings">
          <Settings />
          {t('frame.settings')}
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <Link href="/settings/tokens">
          <KeyRound />
          {t('frame.tokens')}
        </Link>
      </MenuItem>
      <MenuLine />
      <MenuItem onSelect={() => void leave()}>
        <LogOut />
        {t('frame.signOut')}
      </MenuItem>
    </Menu>
  );
}
