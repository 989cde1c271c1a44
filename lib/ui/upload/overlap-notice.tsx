import { formatSize } from '../format.ts';
import { Notice } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { FileNames } from './file-names.tsx';
import { overlapOf } from './upload-item.ts';
import type { UploadView } from './upload-view.ts';

/** Says before the commit which files of the repo it replaces, and which stay as they are. */
export function OverlapNotice({ view, branch }: { view: UploadView; branch: string }) {
  const t = useTranslator();
  const { items, totals } = view;
  const { replaces, same } = totals.overlaps;
  if (replaces + same === 0) return null;
  if (same === items.length)
    return (
      <Notice tone="info" title={t('upload.allSame', { count: same, branch })}>
        {t('upload.allSameText')}
      </Notice>
    );
  const sameText = same > 0 && t('upload.someSame', { count: same });
  if (replaces === 0) return <p className="text-sm text-muted">{sameText}</p>;
  return (
    <Notice tone="info" title={t('upload.replacesTitle', { count: replaces, branch })}>
      <FileNames items={items.filter((item) => overlapOf(item) === 'replaces')}>
        {(item) => <span className="tabular">{formatSize(item.sizeBytes)}</span>}
      </FileNames>
      <p>
        {t('upload.replacesText')} {sameText}
      </p>
    </Notice>
  );
}
