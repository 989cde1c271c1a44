import type { RepoStorage } from '#lib/repos/storage/read-storage.ts';
import { formatSize } from '../format.ts';
import { readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { formatShare } from './format-share.ts';

interface Part {
  readonly label: string;
  readonly bytes: number;
  /** Of the bar and of the mark in front of the label; the words tell the parts apart too. */
  readonly look: string;
}

/** What is stored is filled, what is saved is striped. */
const LOOKS = {
  own: 'bg-accent',
  shared: 'bg-info',
  compression: 'bg-[repeating-linear-gradient(135deg,var(--muted)_0_2px,transparent_2px_5px)]',
  dedup: 'bg-[repeating-linear-gradient(45deg,var(--ok)_0_2px,var(--ok-soft)_2px_5px)]',
};

/** The size of a repo's files as a bar of what is stored and what is saved, and the same as a list of figures. */
export async function StorageBar({ storage }: { storage: RepoStorage }) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  const { report, knowsSharing } = storage;
  if (report === null) return null;
  const stored: Part[] = knowsSharing
    ? [
        { label: t('storage.own'), bytes: report.ownBytes, look: LOOKS.own },
        { label: t('storage.shared'), bytes: report.sharedBytes, look: LOOKS.shared },
      ]
    : [{ label: t('storage.storedAll'), bytes: report.storedBytes, look: LOOKS.own }];
  const parts: Part[] = [
    ...stored,
    { label: t('storage.savedByCompression'), bytes: report.savedByCompression, look: LOOKS.compression },
    { label: t('storage.savedByDedup'), bytes: report.savedByDedup, look: LOOKS.dedup },
  ];
  const total = parts.reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
  return (
    <div className="flex flex-col gap-3">
      <div aria-hidden="true" className="flex h-4 gap-px overflow-hidden rounded-full bg-sunken">
        {parts
          .filter(({ bytes }) => bytes > 0)
          .map(({ label, bytes, look }) => (
            <div
              key={label}
              title={`${label}: ${formatSize(bytes)}`}
              className={look}
              style={{ width: `${(bytes / total) * 100}%` }}
            />
          ))}
      </div>
      <dl className="grid gap-x-8 gap-y-1.5 sm:grid-cols-2">
        {parts.map(({ label, bytes, look }) => (
          <div key={label} className="flex items-baseline gap-2">
            <span aria-hidden className={`size-2.5 shrink-0 translate-y-px rounded-sm ${look}`} />
            <dt className="min-w-0 flex-1 text-muted">{label}</dt>
            <dd className="tabular whitespace-nowrap" title={t('words.bytes', { count: bytes })}>
              {bytes < 0 ? `−${formatSize(-bytes)}` : formatSize(bytes)}
              <span className="ml-2 inline-block w-12 text-right text-sm text-muted">
                {formatShare(Math.max(0, bytes), total, language)}
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
