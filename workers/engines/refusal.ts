/** A request that this engine will not serve; becomes OpenAI error JSON with this status. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds for Retry-After, when trying again makes sense. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
