'use client';

import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useEffectEvent, useState } from 'react';
import { toast } from 'sonner';
import { visibleText } from '#lib/base/visible-text.ts';
import { FormError } from '../account/form-error.tsx';
import { fileAddress } from '../addresses.ts';
import { CallError } from '../call-hub.ts';
import { CommitFields } from '../editor/commit-fields.tsx';
import { Button, ButtonLink } from '../kit/button.tsx';
import { Panel } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import type { Translator } from '../translator.ts';
import { commitUpload } from './commit-upload.ts';
import { OverlapNotice } from './overlap-notice.tsx';
import type { UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';
import { isComplete, type UploadView } from './upload-view.ts';

interface Props {
  readonly run: UploadRun;
  readonly view: UploadView;
}

function defaultSummary(t: Translator, items: readonly UploadItem[]): string {
  const [first] = items;
  if (items.length !== 1 || !first) return t('upload.summaryMany', { count: items.length });
  return t('upload.summaryOne', { name: visibleText(first.path.slice(first.path.lastIndexOf('/') + 1)) });
}

/** Makes the commit; nothing of the upload is lost when it is refused. */
function useCommit({ run, view }: Props) {
  const [t, router] = [useTranslator(), useRouter()];
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const { place } = run;
  const commit = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    const { draft } = run;
    try {
      const { pullRequestUrl } = await commitUpload({
        place,
        items: view.items,
        files: run.sources.files,
        summary: draft.summary.trim() || defaultSummary(t, view.items),
        description: draft.description,
        asPullRequest: draft.asPullRequest,
      });
      const isSame = view.totals.overlaps.same === view.items.length;
      await run.clear();
      if (isSame) toast.info(t('upload.nothingChanged'));
      else toast.success(t('upload.committed'));
      const folder = fileAddress(place.repo, 'tree', place.branch, place.folder);
      router.push(pullRequestUrl ? new URL(pullRequestUrl).pathname : folder);
      router.refresh();
    } catch (failure) {
      if (failure instanceof CallError) setError(failure.message || t('words.requestFailed'));
      else setError(t('upload.commitUnread', { path: visibleText(String((failure as Error).message)) }));
      setBusy(false);
    }
  };
  return { busy, error, commit };
}

/** The message of the commit and its button. Pressed early, it commits by itself once everything is in. */
export function CommitPanel({ run, view }: Props) {
  const t = useTranslator();
  const { place } = run;
  const { busy, error, commit } = useCommit({ run, view });
  const [waits, setWaits] = useState(false);
  const isReady = isComplete(view);
  const onReady = useEffectEvent(() => {
    void commit().finally(() => setWaits(false));
  });
  useEffect(() => {
    if (waits && isReady) onReady();
  }, [waits, isReady]);

  const { draft } = view;
  const isPull = !place.mayWrite || draft.asPullRequest;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) void commit();
    else setWaits(true);
  };
  const keep = (event: FormEvent<HTMLFormElement>) => {
    const fields = new FormData(event.currentTarget);
    run.setDraft({
      ...run.draft,
      summary: String(fields.get('summary') ?? ''),
      description: String(fields.get('description') ?? ''),
    });
  };
  return (
    <Panel>
      <form method="post" onSubmit={onSubmit} onInput={keep} className="flex flex-col gap-4 p-5">
        <div>
          <h3 className="font-semibold">{t('upload.commitTitle')}</h3>
          {!isReady && <p className="text-sm text-muted">{t('upload.commitLater')}</p>}
        </div>
        <OverlapNotice view={view} branch={visibleText(place.branch)} />
        <CommitFields
          branch={place.branch}
          mayWrite={place.mayWrite}
          target={isPull ? 'pull' : 'branch'}
          onTarget={(target) => run.setDraft({ ...run.draft, asPullRequest: target === 'pull' })}
          placeholder={defaultSummary(t, view.items)}
          summary={draft.summary}
          description={draft.description}
        />
        <FormError error={error} />
        {waits && (
          <output className="rounded-md bg-info-soft px-3 py-2 text-info">{t('upload.willCommit')}</output>
        )}
        <div className="flex flex-wrap gap-2">
          {waits ? (
            <Button onClick={() => setWaits(false)}>{t('upload.dontCommit')}</Button>
          ) : (
            <Button type="submit" look={isReady ? 'accent' : 'plain'} disabled={busy}>
              {busy
                ? t('account.working')
                : !isReady
                  ? t('upload.waitForAll')
                  : isPull
                    ? t('edit.propose')
                    : t('edit.commitTo', { branch: place.branch })}
            </Button>
          )}
          <ButtonLink href={fileAddress(place.repo, 'tree', place.branch, place.folder)}>
            {t('upload.back')}
          </ButtonLink>
        </div>
      </form>
    </Panel>
  );
}
