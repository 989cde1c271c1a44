'use client';

import { useRouter } from 'next/navigation';
import { useCallback, useEffect, useState } from 'react';
import { fileAddress } from '../addresses.ts';
import { ButtonLink } from '../kit/button.tsx';
import { Notice } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { DropCover } from './drop-zone.tsx';
import { handOver } from './hand-over.ts';
import { type KeptQueue, listQueues } from './queue-store.ts';
import type { UploadPlace } from './upload-place.ts';
import { useFileDrop } from './use-file-drop.ts';
import type { Chosen } from './walk-drop.ts';

/** Makes a page of a repo take dropped files: they go to the upload page of the folder that it shows. */
export function DropOnFolder({ place }: { place: Pick<UploadPlace, 'repo' | 'branch' | 'folder'> }) {
  const router = useRouter();
  const address = fileAddress(place.repo, 'upload', place.branch, place.folder);
  const take = useCallback(
    (chosen: Promise<Chosen>) => {
      handOver(address, chosen);
      router.push(address);
    },
    [address, router],
  );
  return useFileDrop(take) ? <DropCover folder={place.folder} /> : null;
}

/** Says that an upload into this repo was begun in this browser and not committed, and leads back to it. */
export function UnfinishedUploads({ place }: { place: Pick<UploadPlace, 'repo' | 'user'> }) {
  const t = useTranslator();
  const [queues, setQueues] = useState<readonly KeptQueue[]>([]);
  const { repo, user } = place;
  const { type, namespace, name } = repo;
  useEffect(() => {
    let isGone = false;
    listQueues(user, { type, namespace, name }).then(
      (found) => !isGone && setQueues(found.filter((queue) => queue.files > 0)),
      () => {}, // a browser that keeps nothing has nothing to go on with
    );
    return () => {
      isGone = true;
    };
  }, [user, type, namespace, name]);
  return queues.slice(0, 3).map((queue) => (
    <div key={queue.key} className="mb-3">
      <Notice tone="info" title={t('upload.finish')}>
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span>
            {t('upload.finishText', { files: queue.files, finished: queue.finished })}{' '}
            <span className="font-mono break-all">
              {queue.branch}
              {queue.folder && ` / ${queue.folder}`}
            </span>
          </span>
          <ButtonLink size="sm" href={fileAddress(repo, 'upload', queue.branch, queue.folder)}>
            {t('upload.goOn')}
          </ButtonLink>
        </div>
      </Notice>
    </div>
  ));
}
