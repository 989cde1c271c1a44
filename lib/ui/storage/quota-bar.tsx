import { cn } from '../cn.ts';
import { formatSize } from '../format.ts';
import { Notice } from '../kit/panel.tsx';
import { readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { formatShare } from './format-share.ts';

/** From here on people are told that storage is running out. */
const WARN_FROM = 0.8;

/** How much of a limit is used, as a bar and in words; from 80 % on with what to do about it. */
export async function QuotaBar(props: {
  name: string;
  usedBytes: number;
  limitBytes: number | null;
  /** Only shown when it is running out. */
  onlyWhenNearlyFull?: boolean;
}) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  const { name, usedBytes, limitBytes } = props;
  if (limitBytes === null)
    return props.onlyWhenNearlyFull ? null : (
      <p className="tabular">{t('storage.usedNoLimit', { used: formatSize(usedBytes) })}</p>
    );
  const share = usedBytes / limitBytes;
  const percent = formatShare(usedBytes, limitBytes, language);
  if (props.onlyWhenNearlyFull && share < WARN_FROM) return null;
  const isFull = share >= 1;
  return (
    <div className="flex flex-col gap-2">
      <p className="tabular flex flex-wrap justify-between gap-x-4">
        <span>{t('storage.used', { used: formatSize(usedBytes), limit: formatSize(limitBytes) })}</span>
        <span className="text-muted">{percent}</span>
      </p>
      <div aria-hidden="true" className="h-2 overflow-hidden rounded-full bg-sunken">
        <div
          className={cn('h-full', isFull ? 'bg-bad' : share >= WARN_FROM ? 'bg-warn' : 'bg-accent')}
          style={{ width: `${Math.min(100, share * 100)}%` }}
        />
      </div>
      {share >= WARN_FROM && (
        <Notice
          tone={isFull ? 'bad' : 'warn'}
          title={isFull ? t('storage.full', { name }) : t('storage.nearlyFull', { name, percent })}
        />
      )}
    </div>
  );
}
