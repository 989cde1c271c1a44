'use client';

import { ChevronDown, FilePlus, Plus, Upload } from 'lucide-react';
import Link from 'next/link';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { Button } from '../kit/button.tsx';
import { Menu, MenuItem } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';

/** How files come into a folder of a branch: written here, or uploaded. */
export function AddFileMenu({ repo, branch, folder }: { repo: RepoRef; branch: string; folder: string }) {
  const t = useTranslator();
  return (
    <Menu
      trigger={
        <Button size="sm">
          <Plus />
          {t('upload.addFile')}
          <ChevronDown />
        </Button>
      }
    >
      <MenuItem asChild>
        <Link href={fileAddress(repo, 'new', branch, folder)}>
          <FilePlus />
          {t('edit.newFile')}
        </Link>
      </MenuItem>
      <MenuItem asChild>
        <Link href={fileAddress(repo, 'upload', branch, folder)}>
          <Upload />
          {t('upload.title')}
        </Link>
      </MenuItem>
    </Menu>
  );
}
