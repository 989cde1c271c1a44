/** Why a file did not get through this time. */
export class SendError extends Error {
  /** `later`: try again after a while; `anew`: begin again from the first byte; `never`: the hub will not take it. */
  readonly kind: 'later' | 'anew' | 'never';
  /** Of the hub's answer; 0 without one. */
  readonly status: number;

  constructor(kind: SendError['kind'], message: string, status = 0) {
    super(message);
    this.name = 'SendError';
    this.kind = kind;
    this.status = status;
  }
}

/** Answers that pass: a broken line, an upload that another request still holds, a hub that starts or is busy. */
const PASSING = new Set([0, 408, 409, 423, 425, 429]);

function messageOf(body: string): string {
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    return [error, message].find((text): text is string => typeof text === 'string') ?? '';
  } catch {
    return body.startsWith('<') ? '' : body.slice(0, 300).trim();
  }
}

/** What an answer of the hub to a sent file means. */
export function sendErrorOf(status: number, body: string): SendError {
  const message = messageOf(body);
  if (PASSING.has(status) || status >= 500) return new SendError('later', message, status);
  if (status === 404 || status === 410) return new SendError('anew', message, status);
  return new SendError('never', message || `HTTP ${status}`, status);
}
