'use client';

import { cn } from '../cn.ts';
import { formatDuration } from '../format.ts';
import { useTranslator } from '../reader.tsx';
import type { Turn } from './use-chat.ts';

/** One line of the talk, with what was measured under an answer. The text is a stranger's: shown as plain text. */
export function ChatTurn({ turn, name }: { turn: Turn; name: string }) {
  const t = useTranslator();
  const isUser = turn.role === 'user';
  const measured = [
    turn.tokens ? t('endpoint.tokens', { count: turn.tokens }) : null,
    turn.tokensPerSecond ? t('endpoint.speed', { rate: turn.tokensPerSecond.toFixed(1) }) : null,
    turn.firstTokenMs === undefined
      ? null
      : t('endpoint.firstToken', { duration: formatDuration(turn.firstTokenMs) }),
  ].filter(Boolean);
  return (
    <div className={cn('flex max-w-[85%] flex-col gap-1', isUser ? 'items-end self-end' : 'self-start')}>
      <p className="text-xs text-muted">{isUser ? t('endpoint.you') : name}</p>
      {(turn.text || turn.isRunning) && (
        <div
          className={cn(
            'rounded-lg px-3 py-2 break-words whitespace-pre-wrap',
            isUser ? 'bg-accent-soft' : 'bg-hover',
          )}
        >
          {turn.text}
          {turn.isRunning && (
            <span
              aria-hidden="true"
              className="ml-0.5 inline-block h-4 w-1.5 animate-pulse bg-accent align-middle"
            />
          )}
        </div>
      )}
      {turn.error && <p className="text-sm text-bad">{t('endpoint.answerFailed', { reason: turn.error })}</p>}
      {!turn.isRunning && measured.length > 0 && (
        <p className="tabular text-xs text-muted">{measured.join(' · ')}</p>
      )}
    </div>
  );
}
