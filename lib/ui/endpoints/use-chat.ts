'use client';

import { useRef, useState } from 'react';
import { type ChatMessage, type ChatRequest, streamChat } from './stream-chat.ts';

/** A line of the talk; answers carry what was measured. */
export interface Turn {
  readonly id: number;
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly isRunning?: boolean;
  readonly error?: string;
  readonly firstTokenMs?: number;
  readonly tokens?: number;
  readonly tokensPerSecond?: number;
}

type Options = Pick<ChatRequest, 'model' | 'temperature' | 'maxTokens'> & { readonly system: string };

interface Chat {
  readonly turns: readonly Turn[];
  readonly busy: boolean;
  send(text: string, options: Options): Promise<void>;
  stop(): void;
  clear(): void;
}

function messagesOf(turns: readonly Turn[], text: string, system: string): ChatMessage[] {
  const before = turns
    .filter((turn) => turn.text !== '')
    .map(({ role, text: content }) => ({ role, content }));
  const first: ChatMessage[] = system.trim() ? [{ role: 'system', content: system }] : [];
  return [...first, ...before, { role: 'user', content: text }];
}

/** A talk with an endpoint, kept in this page only. */
export function useChat(url: string): Chat {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const abort = useRef<AbortController | null>(null);
  const change = (id: number, part: Partial<Turn>) =>
    setTurns((was) => was.map((turn) => (turn.id === id ? { ...turn, ...part } : turn)));
  const busy = turns.at(-1)?.isRunning === true;

  const send = async (text: string, { system, ...options }: Options) => {
    const messages = messagesOf(turns, text, system);
    const id = (turns.at(-1)?.id ?? 0) + 2;
    setTurns([
      ...turns,
      { id: id - 1, role: 'user', text },
      { id, role: 'assistant', text: '', isRunning: true },
    ]);
    const { signal } = (abort.current = new AbortController());
    const startedMs = performance.now();
    let firstMs: number | undefined;
    let pieces = 0;
    let counted: number | undefined;
    let answer = '';
    try {
      for await (const piece of streamChat(`${url}/chat/completions`, { ...options, messages }, signal)) {
        if ('completionTokens' in piece) counted = piece.completionTokens;
        else {
          firstMs ??= performance.now() - startedMs;
          answer += piece.text;
          pieces++;
          change(id, { text: answer, firstTokenMs: firstMs });
        }
      }
    } catch (error) {
      if (!signal.aborted) change(id, { error: error instanceof Error ? error.message : String(error) });
    }
    const tokens = counted ?? pieces;
    const seconds = (performance.now() - startedMs - (firstMs ?? 0)) / 1000;
    change(id, {
      isRunning: false,
      tokens,
      ...(tokens > 1 && seconds > 0 && { tokensPerSecond: (tokens - 1) / seconds }),
    });
  };
  const stop = () => abort.current?.abort();
  const clear = () => {
    stop();
    setTurns([]);
  };
  return { turns, busy, send, stop, clear };
}
