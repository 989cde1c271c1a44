'use client';

import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress } from '../addresses.ts';
import { formatSize } from '../format.ts';
import { useTranslator } from '../reader.tsx';
import { ConfirmCall } from './confirm-call.tsx';

/** A large file as the list shows it. */
export interface LargeFileLine {
  readonly fileOid: string;
  readonly filename: string;
  /** Short name of a ref that has it; null when none does. */
  readonly ref: string | null;
  readonly sizeBytes: number;
}

/** The large files of a repo, to be chosen and deleted for good. */
export function LargeFiles({ repo, files }: { repo: RepoRef; files: readonly LargeFileLine[] }) {
  const t = useTranslator();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (oid: string) =>
    setChosen((before) => {
      const after = new Set(before);
      if (!after.delete(oid)) after.add(oid);
      return after;
    });
  const doomed = files.filter((file) => chosen.has(file.fileOid)).map((file) => file.fileOid);
  return (
    <>
      <ul className="max-h-96 divide-y divide-line overflow-y-auto border-b border-line">
        {files.map((file) => (
          <li key={file.fileOid}>
            <label className="flex min-h-9 cursor-pointer items-center gap-3 px-4 py-1.5 hover:bg-hover max-md:min-h-11">
              <input
                type="checkbox"
                checked={chosen.has(file.fileOid)}
                onChange={() => toggle(file.fileOid)}
                aria-label={t('history.select', { name: file.filename })}
                className="size-4 shrink-0 accent-(--ring)"
              />
              <span className="min-w-0 flex-1">
                <span className="block truncate font-mono text-sm" title={file.filename}>
                  {file.filename}
                </span>
                <span className="block truncate text-sm text-muted">
                  {file.ref ?? t('history.notInRefs')}
                </span>
              </span>
              <span className="tabular text-sm whitespace-nowrap text-muted">
                {formatSize(file.sizeBytes)}
              </span>
            </label>
          </li>
        ))}
      </ul>
      <div className="flex items-center justify-end gap-3 px-4 py-3">
        {doomed.length > 0 && (
          <ConfirmCall
            key={doomed.join()}
            call={{
              method: 'POST',
              path: apiAddress(repo, 'lfs-files/batch'),
              body: { deletions: { sha: doomed, rewriteHistory: true } },
            }}
            label={`${t('history.deleteForGood')} (${doomed.length})`}
            icon={<Trash2 />}
            look="danger"
            title={t('history.deleteFilesTitle')}
            text={t('history.deleteFilesText')}
            confirm={t('history.deleteForGood')}
            done={t('history.filesDeleted')}
            phrase={repo.name}
          />
        )}
      </div>
    </>
  );
}
