import type { ReactNode } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import { useTranslator } from '../reader.tsx';
import type { UploadItem } from './upload-item.ts';

const SHOWN = 8;

/** The first few of these files, each with what is to be said of it, and how many more there are. */
export function FileNames(props: {
  items: readonly UploadItem[];
  children?: (item: UploadItem) => ReactNode;
}) {
  const t = useTranslator();
  const { items, children } = props;
  return (
    <ul className="my-2 flex flex-col gap-1">
      {items.slice(0, SHOWN).map((item) => (
        <li key={item.id}>
          <span className="font-mono break-all">{visibleText(item.path)}</span>
          {children && <span className="text-muted"> · {children(item)}</span>}
        </li>
      ))}
      {items.length > SHOWN && <li>{t('upload.refusedMore', { count: items.length - SHOWN })}</li>}
    </ul>
  );
}
