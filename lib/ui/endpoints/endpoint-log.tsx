'use client';

import { ArrowDown } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '../kit/button.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import type { LiveEndpoint } from './use-endpoint.ts';

const NEAR_END_PX = 24;

/** What worker and engine say, as it comes; follows the end until the reader scrolls up. */
export function EndpointLog({
  lines,
  connection,
}: {
  lines: LiveEndpoint['log'];
  connection: LiveEndpoint['connection'];
}) {
  const t = useTranslator();
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  useEffect(() => {
    if (follows && lines.length > 0) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines, follows]);
  const onScroll = () => {
    const { current } = box;
    if (current) setFollows(current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_END_PX);
  };
  const status = { connecting: '', live: t('endpoint.logLive'), lost: t('endpoint.logLost') }[connection];
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={t('endpoint.log')}>
        <span className="flex items-center gap-1.5 text-sm text-muted" aria-live="polite">
          {connection === 'live' && <span aria-hidden="true" className="size-2 rounded-full bg-ok" />}
          {status}
        </span>
      </PanelHeader>
      <div className="relative">
        <div
          ref={box}
          onScroll={onScroll}
          role="log"
          aria-label={t('endpoint.log')}
          className="h-64 overflow-y-auto bg-sunken px-4 py-2.5 font-mono text-xs leading-5"
        >
          {lines.length === 0 && <p className="text-muted">{t('endpoint.logEmpty')}</p>}
          {lines.map((line) => (
            <p key={line.id} className="break-words whitespace-pre-wrap">
              <span className="mr-2 text-muted">{line.at.slice(11, 19)}</span>
              {line.line}
            </p>
          ))}
        </div>
        {!follows && (
          <Button size="sm" className="absolute right-3 bottom-3" onClick={() => setFollows(true)}>
            <ArrowDown />
            {t('endpoint.follow')}
          </Button>
        )}
      </div>
    </Panel>
  );
}
