import type { Oid } from '#lib/base/ids.ts';
import { type GitChild, type GitRun, startGit } from '../bare/run-git.ts';
import { KIND, type Kind } from '../git/objects.ts';

export interface ReceivedObject {
  readonly oid: Oid;
  readonly kind: Kind;
  readonly content: Buffer;
}

export interface ObjectFacts {
  readonly oid: Oid;
  readonly kind: Kind;
  readonly sizeBytes: number;
}

/** Reads lines and counted bytes from a stream. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #parts: Buffer[] = [];
  #have = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#source.next();
    if (done) throw new Error('git cat-file ended early');
    this.#parts.push(value);
    this.#have += value.length;
  }

  #joined(): Buffer {
    const [only] = this.#parts;
    const all = this.#parts.length === 1 && only ? only : Buffer.concat(this.#parts);
    this.#parts = [all];
    return all;
  }

  async take(length: number): Promise<Buffer> {
    while (this.#have < length) await this.#more();
    const all = this.#joined();
    this.#parts = [all.subarray(length)];
    this.#have -= length;
    return all.subarray(0, length);
  }

  async line(): Promise<string> {
    for (;;) {
      const all = this.#joined();
      const end = all.indexOf(0x0a);
      if (end >= 0) return (await this.take(end + 1)).toString('latin1', 0, end);
      await this.#more();
    }
  }
}

/** One git process that answers any number of questions about objects, one after another (git-cat-file(1)). */
export class ObjectReader {
  readonly #child: GitChild;
  readonly #reader: ByteReader;

  constructor(run: Omit<GitRun, 'args'>) {
    this.#child = startGit({ ...run, args: ['cat-file', '--batch-command', '--buffer'] });
    this.#reader = new ByteReader(this.#child.stdout as AsyncIterable<Buffer>);
  }

  #ask(command: 'info' | 'contents', names: readonly string[]): void {
    this.#child.stdin.write(`${names.map((name) => `${command} ${name}\n`).join('')}flush\n`);
  }

  async #facts(): Promise<ObjectFacts | null> {
    const [, oid, type, size] =
      /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d+)$/.exec(await this.#reader.line()) ?? [];
    if (oid === undefined) return null;
    return { oid: oid as Oid, kind: KIND[type as keyof typeof KIND], sizeBytes: Number(size) };
  }

  /** What each name (an oid, `<oid>^{commit}`, `<oid>:path`) leads to; null when to nothing. */
  async describe(names: readonly string[]): Promise<(ObjectFacts | null)[]> {
    if (names.length === 0) return [];
    this.#ask('info', names);
    const found: (ObjectFacts | null)[] = [];
    for (let at = 0; at < names.length; at++) found.push(await this.#facts());
    return found;
  }

  /** The objects in the order asked for, one in memory at a time. Throws when one is missing. */
  async *read(oids: readonly Oid[]): AsyncGenerator<ReceivedObject> {
    if (oids.length === 0) return;
    this.#ask('contents', oids);
    for (const oid of oids) {
      const facts = await this.#facts();
      if (facts?.oid !== oid) throw new Error(`object ${oid} of a push cannot be read`);
      const content = await this.#reader.take(facts.sizeBytes);
      await this.#reader.take(1);
      yield { oid, kind: facts.kind, content };
    }
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#child.done.catch(() => {});
  }
}
