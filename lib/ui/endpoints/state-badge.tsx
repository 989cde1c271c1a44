import type { EndpointView } from '#lib/endpoints/view.ts';
import { cn } from '../cn.ts';
import type { Translator } from '../translator.ts';

type State = EndpointView['state'];

const DOTS: Record<State, string> = {
  pending: 'bg-muted',
  pulling: 'bg-info',
  starting: 'bg-warn',
  ready: 'bg-ok',
  stopped: 'border-2 border-muted',
  failed: 'bg-bad',
};
const WORDS: Record<State, string> = {
  pending: 'text-muted',
  pulling: 'text-info',
  starting: 'text-warn',
  ready: 'text-ok',
  stopped: 'text-muted',
  failed: 'text-bad',
};
const MOVING = new Set<State>(['pending', 'pulling', 'starting']);

/** The state of an endpoint: a dot and always the word. The dot breathes while something is under way. */
export function StateBadge({ state, t, isPast }: { state: State; t: Translator; isPast?: boolean }) {
  return (
    <span className={cn('inline-flex items-center gap-2 font-medium whitespace-nowrap', WORDS[state])}>
      <span
        aria-hidden="true"
        className={cn('size-2.5 rounded-full', DOTS[state], MOVING.has(state) && !isPast && 'animate-pulse')}
      />
      {t(`endpoint.states.${state}`)}
    </span>
  );
}
