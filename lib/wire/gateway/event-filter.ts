/** Token counts as the OpenAI API reports them. */
export interface TokenUsage {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
}

const USAGE = Buffer.from('"usage"');
const DONE = Buffer.from('data: [DONE]');
const END = Buffer.from('\n\n');
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/**
 * Watches a stream of server-sent events go by: whole events leave at once and unchanged. Notes the token counts,
 * and leaves out the event that carries nothing else when the client did not ask for it (we asked, to count).
 */
export class EventFilter {
  usage: TokenUsage | null = null;
  /** The engine said that the answer is complete. */
  isDone = false;
  readonly #keepUsage: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(keepUsage: boolean) {
    this.#keepUsage = keepUsage;
  }

  /** The bytes to send on now, perhaps none. Throws when an event is too long to be one. */
  push(chunk: Buffer): Buffer {
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = all.lastIndexOf(END);
    const whole = end < 0 ? 0 : end + END.length;
    this.#rest = all.subarray(whole);
    if (this.#rest.length > MAX_EVENT_BYTES) throw new Error('the engine sent an event without an end');
    const ready = all.subarray(0, whole);
    return ready.includes(USAGE) || ready.includes(DONE) ? this.#inspect(ready) : ready;
  }

  #inspect(events: Buffer): Buffer {
    const kept: Buffer[] = [];
    for (let at = 0; at < events.length; ) {
      const next = events.indexOf(END, at) + END.length;
      const event = events.subarray(at, next);
      if (this.#wants(event)) kept.push(event);
      at = next;
    }
    return Buffer.concat(kept);
  }

  #wants(event: Buffer): boolean {
    if (event.indexOf(DONE) === 0) this.isDone = true;
    if (!event.includes(USAGE)) return true;
    const data = /^data: (.*)$/m.exec(event.toString('utf8'))?.[1];
    if (data === undefined) return true;
    const parsed = parse(data);
    if (parsed?.usage) this.usage = parsed.usage;
    return this.#keepUsage || !parsed?.usage || parsed.choices?.length !== 0;
  }
}

interface Chunk {
  readonly usage?: TokenUsage | null;
  readonly choices?: readonly unknown[];
}

function parse(json: string): Chunk | null {
  try {
    return JSON.parse(json) as Chunk;
  } catch {
    return null;
  }
}
