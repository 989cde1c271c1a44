'use client';

import { ChevronDown, Copy, Download, FileArchive } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress, archiveAddress } from '../addresses.ts';
import { copyText } from '../copy-text.ts';
import { formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import type { Snippet } from '../kit/code-tabs.tsx';
import { Menu, MenuItem, MenuLabel, MenuLine } from '../kit/menu.tsx';
import { useTranslator } from '../reader.tsx';

/** How to take a folder along: as a zip, or by a command to copy. */
export function DownloadMenu({
  repo,
  revision,
  folder,
  commands,
}: {
  repo: RepoRef;
  revision: string;
  folder: string;
  commands: readonly Snippet[];
}) {
  const t = useTranslator();
  const copy = (code: string) =>
    copyText(code).then(
      () => toast.success(t('words.copied')),
      () => toast.error(t('words.copyFailed')),
    );
  return (
    <Menu
      trigger={
        <Button size="sm">
          <Download />
          {t('repo.download')}
          <ChevronDown />
        </Button>
      }
    >
      <MenuItem asChild>
        <a href={archiveAddress(repo, revision, folder)} download>
          <FileArchive />
          <span className="grow">{t(folder === '' ? 'repo.allAsZip' : 'repo.folderAsZip')}</span>
          <FolderSize repo={repo} revision={revision} folder={folder} />
        </a>
      </MenuItem>
      <MenuLine />
      <MenuLabel>{t('repo.copyCommand')}</MenuLabel>
      {commands.map(({ id, label, code }) => (
        <MenuItem key={id} onSelect={() => void copy(code)} title={code}>
          <Copy />
          <code className="font-mono text-sm">{label}</code>
        </MenuItem>
      ))}
    </Menu>
  );
}

/** Asked for when the menu opens: it costs the hub a look at every file below. Stays empty when it cannot be had. */
function FolderSize({ repo, revision, folder }: { repo: RepoRef; revision: string; folder: string }) {
  const [bytes, setBytes] = useState<number | null>(null);
  const path = [revision, ...folder.split('/').filter(Boolean)].map(encodeURIComponent).join('/');
  const address = apiAddress(repo, `treesize/${path}`);
  useEffect(() => {
    const stop = new AbortController();
    fetch(address, { signal: stop.signal })
      .then(async (answer) => setBytes(answer.ok ? ((await answer.json()) as { size: number }).size : null))
      .catch(() => {});
    return () => stop.abort();
  }, [address]);
  return (
    <span className="tabular min-w-16 text-right text-sm whitespace-nowrap text-muted">
      {bytes === null ? '' : formatSize(bytes)}
    </span>
  );
}
