'use client';

import { Pause, Play, Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { CallError, callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { useTranslator } from '../reader.tsx';

/** Stop, resume, delete; only for who may. The page itself follows through the event stream. */
export function EndpointActions({ endpoint, isDeleted }: { endpoint: EndpointView; isDeleted: boolean }) {
  const [t, router] = [useTranslator(), useRouter()];
  const [busy, setBusy] = useState(false);
  const [asks, setAsks] = useState(false);
  const path = `/api/endpoints/${encodeURIComponent(endpoint.namespace)}/${encodeURIComponent(endpoint.name)}`;
  useEffect(() => {
    if (!isDeleted) return;
    toast.success(t('endpoint.deleted'));
    router.push('/endpoints');
  }, [isDeleted, router, t]);
  if (!endpoint.canManage) return null;
  const act = async (method: 'POST' | 'DELETE', tail: string) => {
    setBusy(true);
    try {
      await callHub(method, path + tail);
      setAsks(false);
    } catch (error) {
      const reason = (error instanceof CallError && error.message) || t('words.requestFailed');
      toast.error(t('endpoint.actionFailed', { reason }));
    }
    setBusy(false);
  };
  const canResume = endpoint.desired === 'stopped' || endpoint.state === 'failed';
  return (
    <div className="flex flex-wrap gap-2">
      {endpoint.desired === 'running' && (
        <Button disabled={busy} onClick={() => void act('POST', '/stop')}>
          <Pause />
          {t('endpoint.stop')}
        </Button>
      )}
      {canResume && (
        <Button look="accent" disabled={busy} onClick={() => void act('POST', '/resume')}>
          <Play />
          {t('endpoint.resume')}
        </Button>
      )}
      <Button look="danger" disabled={busy} onClick={() => setAsks(true)}>
        <Trash2 />
        {t('endpoint.delete')}
      </Button>
      <Dialog
        open={asks}
        onOpenChange={setAsks}
        title={t('endpoint.deleteTitle')}
        text={t('endpoint.deleteText')}
      >
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsks(false)}>{t('words.cancel')}</Button>
          <Button look="danger" disabled={busy} onClick={() => void act('DELETE', '')}>
            {t('endpoint.delete')}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}
