'use client';

import { cn } from '../cn.ts';
import { useTranslator } from '../reader.tsx';

/** Chooses between the Markdown as it is written and as it will look. */
export function PreviewSwitch(props: { isPreview: boolean; onChange: (isPreview: boolean) => void }) {
  const t = useTranslator();
  const choice = (isPreview: boolean, label: string) => (
    <button
      type="button"
      aria-pressed={props.isPreview === isPreview}
      onClick={() => props.onChange(isPreview)}
      className={cn(
        'h-7 rounded-md px-2.5 text-sm max-md:h-9',
        props.isPreview === isPreview ? 'bg-surface font-medium shadow-xs' : 'text-muted hover:text-fg',
      )}
    >
      {label}
    </button>
  );
  return (
    <div className="flex self-start rounded-lg border border-line bg-hover p-0.5">
      {choice(false, t('pulls.write'))}
      {choice(true, t('pulls.preview'))}
    </div>
  );
}
