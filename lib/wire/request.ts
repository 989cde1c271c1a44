import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';

/** A request after its raw path was parsed, once. */
export class WireRequest {
  readonly raw: IncomingMessage;
  readonly method: string;
  /** The path exactly as sent, without the query. */
  readonly rawPath: string;
  /** Decoded path parameters; `rest` stays raw. */
  readonly params: Readonly<Record<string, string>>;
  readonly #rawQuery: string;
  #query: URLSearchParams | undefined;

  constructor(raw: IncomingMessage, rawPath: string, rawQuery: string, params: Record<string, string>) {
    this.raw = raw;
    this.method = raw.method ?? 'GET';
    this.rawPath = rawPath;
    this.params = params;
    this.#rawQuery = rawQuery;
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(this.#rawQuery);
    return this.#query;
  }

  /** A path parameter that the route's pattern guarantees. */
  param(name: string): string {
    const value = this.params[name];
    if (value === undefined) throw new Error(`route has no parameter ${name}`);
    return value;
  }

  /** A `rest` parameter as one text, decoded once. Throws invalid_input on a broken escape. */
  decodedParam(name: string): string {
    try {
      return decodeURIComponent(this.param(name));
    } catch {
      throw hubError('invalid_input', 'the address contains a broken percent-escape');
    }
  }

  /** A request header, or undefined; the first one when it was repeated. */
  header(name: string): string | undefined {
    const value = this.raw.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Content-Length as a number, or null when it is absent (chunked). Throws invalid_input on nonsense. */
  contentLength(): number | null {
    const text = this.header('content-length');
    if (text === undefined) return null;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
      throw hubError('invalid_input', 'Content-Length is not a number of bytes');
    }
    return value;
  }

  /** Reads the whole body. Throws too_large, naming the limit, before holding more than `maxBytes`. */
  async body(maxBytes: number): Promise<Buffer> {
    const tooLarge = () =>
      hubError('too_large', `the request body is larger than the limit of ${maxBytes} bytes`);
    const length = this.contentLength();
    if (length !== null && length > maxBytes) throw tooLarge();
    const parts: Buffer[] = [];
    let total = 0;
    for await (const part of this.raw as AsyncIterable<Buffer>) {
      total += part.length;
      if (total > maxBytes) throw tooLarge();
      parts.push(part);
    }
    if (length !== null && total !== length) throw hubError('invalid_input', 'the request body ended early');
    return Buffer.concat(parts, total);
  }

  /** Reads and validates a JSON body. An empty body is `{}`. Errors name the offending key. */
  async json<T>(schema: z.ZodType<T>, maxBytes = 1_048_576): Promise<T> {
    const text = (await this.body(maxBytes)).toString('utf8');
    let value: unknown;
    try {
      value = text.trim() === '' ? {} : JSON.parse(text);
    } catch (error) {
      throw hubError('invalid_input', 'the request body is not valid JSON', { cause: error });
    }
    return parseInput(schema, value);
  }
}

/** Validates untrusted input; throws invalid_input with the first problem, as `"key": what is wrong`. */
export function parseInput<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.length ? `"${issue.path.join('.')}": ` : '';
  throw hubError('invalid_input', `${where}${issue?.message ?? 'invalid input'}`);
}
