import type { UploadView } from './upload-view.ts';
import { isComplete } from './upload-view.ts';

export type Phase =
  | 'asking'
  | 'hashing'
  | 'sending'
  | 'checking'
  | 'stalled'
  | 'paused'
  | 'attention'
  | 'held'
  | 'complete';

/** What an upload as a whole is doing, in one word: what moves comes before what waits. */
export function phaseOf(view: UploadView): Phase {
  const { states } = view.totals;
  if (isComplete(view)) return 'complete';
  if (states.sending > 0) return 'sending';
  if (states.stalled > 0) return 'stalled';
  if (states.hashing > 0) return 'hashing';
  if (states.checking > 0) return states.waiting > 0 ? 'sending' : 'checking';
  if (states.refused > 0) return 'held';
  if (view.blocked !== null) return view.blocked === '' ? 'stalled' : 'attention';
  if (states.missing + states.failed > 0) return 'attention';
  return states.paused > 0 && states.waiting === 0 ? 'paused' : 'asking';
}
