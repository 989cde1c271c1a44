'use client';

import { Eraser, Send, SlidersHorizontal, Square } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { Button } from '../kit/button.tsx';
import { Input, TextArea } from '../kit/field.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { ChatTurn } from './chat-turn.tsx';
import { type Turn, useChat } from './use-chat.ts';

/** Small models like to repeat themselves without end. */
const MAX_TOKENS = 512;

interface Parameters {
  readonly system: string;
  readonly temperature: string;
  readonly maxTokens: string;
}

/** Chat with the endpoint in the browser, over the same address that programs use. */
export function Playground({ endpoint }: { endpoint: EndpointView }) {
  const t = useTranslator();
  // A relative address: the session's cookie goes along, whatever name the hub was reached by.
  const chat = useChat(
    `/endpoints/${encodeURIComponent(endpoint.namespace)}/${encodeURIComponent(endpoint.name)}/v1`,
  );
  const [parameters, setParameters] = useState<Parameters>({
    system: '',
    temperature: '',
    maxTokens: String(MAX_TOKENS),
  });
  const waiting = waitingText(endpoint);
  const send = (text: string) => {
    const [temperature, maxTokens] = [Number(parameters.temperature), Number(parameters.maxTokens)];
    void chat.send(text, {
      model: endpoint.fullName,
      system: parameters.system,
      ...(parameters.temperature !== '' && Number.isFinite(temperature) && { temperature }),
      ...(parameters.maxTokens !== '' && maxTokens >= 1 && { maxTokens: Math.floor(maxTokens) }),
    });
  };
  return (
    <Panel className="flex min-h-96 flex-col overflow-hidden">
      <PanelHeader title={t('endpoint.playground')}>
        {chat.turns.length > 0 && (
          <Button look="quiet" size="sm" onClick={chat.clear}>
            <Eraser />
            {t('endpoint.clear')}
          </Button>
        )}
      </PanelHeader>
      <Talk turns={chat.turns} hint={waiting ? t(waiting) : t('endpoint.chatEmpty')} name={endpoint.name} />
      <ParameterFields value={parameters} onChange={setParameters} />
      <Composer
        label={t('endpoint.messagePlaceholder', { model: endpoint.name })}
        disabled={waiting !== null}
        busy={chat.busy}
        onSend={send}
        onStop={chat.stop}
      />
    </Panel>
  );
}

function waitingText({ canUse, state }: EndpointView) {
  if (!canUse) return 'endpoint.noAccess' as const;
  if (state === 'ready') return null;
  if (state === 'stopped') return 'endpoint.playgroundStopped' as const;
  return state === 'failed'
    ? ('endpoint.playgroundFailed' as const)
    : ('endpoint.playgroundWaiting' as const);
}

function Talk({ turns, hint, name }: { turns: readonly Turn[]; hint: string; name: string }) {
  const t = useTranslator();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (turns.length > 0) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [turns]);
  return (
    <div
      ref={box}
      role="log"
      aria-label={t('endpoint.playground')}
      className="flex max-h-[60vh] min-h-60 flex-1 flex-col gap-4 overflow-y-auto p-4"
    >
      {turns.length === 0 && <p className="m-auto max-w-sm text-center text-muted">{hint}</p>}
      {turns.map((turn) => (
        <ChatTurn key={turn.id} turn={turn} name={name} />
      ))}
    </div>
  );
}

function ParameterFields({ value, onChange }: { value: Parameters; onChange: (value: Parameters) => void }) {
  const t = useTranslator();
  const set = (part: Partial<Parameters>) => onChange({ ...value, ...part });
  return (
    <details className="border-t border-line px-4 py-2 text-sm">
      <summary className="flex items-center gap-2 text-muted hover:text-fg">
        <SlidersHorizontal className="size-4" aria-hidden="true" />
        {t('endpoint.settings')}
      </summary>
      <div className="grid gap-3 pt-2 pb-1 sm:grid-cols-2">
        <label className="flex flex-col gap-1 sm:col-span-2">
          {t('endpoint.systemPrompt')}
          <TextArea rows={2} value={value.system} onChange={(event) => set({ system: event.target.value })} />
        </label>
        <label className="flex flex-col gap-1">
          {t('endpoint.temperature')}
          <Input
            type="number"
            min={0}
            max={2}
            step={0.1}
            value={value.temperature}
            onChange={(event) => set({ temperature: event.target.value })}
          />
        </label>
        <label className="flex flex-col gap-1">
          {t('endpoint.maxTokens')}
          <Input
            type="number"
            min={1}
            max={100_000}
            step={1}
            value={value.maxTokens}
            onChange={(event) => set({ maxTokens: event.target.value })}
          />
        </label>
      </div>
    </details>
  );
}

interface ComposerProps {
  readonly label: string;
  readonly disabled: boolean;
  readonly busy: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
}

function Composer({ label, disabled, busy, onSend, onStop }: ComposerProps) {
  const t = useTranslator();
  const [text, setText] = useState('');
  const send = () => {
    if (disabled || busy || text.trim() === '') return;
    onSend(text.trim());
    setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter during composition picks a Chinese word; it does not send.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <div className="flex items-end gap-2 border-t border-line p-3">
      <TextArea
        rows={2}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        aria-label={label}
        placeholder={label}
        disabled={disabled}
        className="resize-none"
      />
      {busy ? (
        <Button onClick={onStop}>
          <Square />
          {t('endpoint.stopAnswer')}
        </Button>
      ) : (
        <Button look="accent" onClick={send} disabled={disabled || text.trim() === ''}>
          <Send />
          {t('endpoint.send')}
        </Button>
      )}
    </div>
  );
}
