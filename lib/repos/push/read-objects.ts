import type { Oid } from '#lib/base/ids.ts';
import { type GitRun, startGit } from '../bare/run-git.ts';
import { KIND, type Kind } from '../git/objects.ts';

export interface ReceivedObject {
  readonly oid: Oid;
  readonly kind: Kind;
  readonly content: Buffer;
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

/** The objects in the order asked for, one in memory at a time. Throws when one is missing. */
export async function* readObjects(
  run: Omit<GitRun, 'args'>,
  oids: readonly Oid[],
): AsyncGenerator<ReceivedObject> {
  if (oids.length === 0) return;
  const child = startGit({ ...run, args: ['cat-file', '--batch', '--buffer'] });
  child.stdin.end(oids.map((oid) => `${oid}\n`).join(''));
  const reader = new ByteReader(child.stdout as AsyncIterable<Buffer>);
  for (const oid of oids) {
    const [name, type, size] = (await reader.line()).split(' ');
    if (name !== oid || type === undefined || size === undefined)
      throw new Error(`object ${oid} of a push cannot be read`);
    const content = await reader.take(Number(size));
    await reader.take(1);
    yield { oid, kind: KIND[type as keyof typeof KIND], content };
  }
  await child.done;
}

export interface ObjectFacts {
  readonly kind: Kind;
  readonly sizeBytes: number;
}

/** Kind and size of what each name (an oid, `<oid>^{commit}`, `<oid>:path`) leads to; null when to nothing. */
export async function describeObjects(
  run: Omit<GitRun, 'args'>,
  names: readonly string[],
): Promise<(({ readonly oid: Oid } & ObjectFacts) | null)[]> {
  if (names.length === 0) return [];
  const format = '%(objectname) %(objecttype) %(objectsize)';
  const child = startGit({ ...run, args: ['cat-file', `--batch-check=${format}`, '--buffer'] });
  child.stdin.end(names.map((name) => `${name}\n`).join(''));
  const reader = new ByteReader(child.stdout as AsyncIterable<Buffer>);
  const found: (({ readonly oid: Oid } & ObjectFacts) | null)[] = [];
  for (let at = 0; at < names.length; at++) {
    const [, oid, type, size] =
      /^([0-9a-f]{40}) (commit|tree|blob|tag) (\d+)$/.exec(await reader.line()) ?? [];
    found.push(
      oid === undefined
        ? null
        : { oid: oid as Oid, kind: KIND[type as keyof typeof KIND], sizeBytes: Number(size) },
    );
  }
  await child.done;
  return found;
}
