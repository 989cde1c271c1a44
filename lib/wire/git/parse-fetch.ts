import { hubError } from '#lib/base/errors.ts';
import { type Oid, parseOid } from '#lib/base/ids.ts';
import type { FetchRequest } from '#lib/repos/fetch-pack.ts';
import type { RefQuestion } from './advertise.ts';
import { PktReader, textOf } from './pkt-line.ts';

/** Room for 100,000 wants or haves of a negotiation. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

const refuse = (what: string) => hubError('invalid_input', `malformed request: ${what}`);

/** Keeps what passes, so that git can be given the very same request. */
async function* recorded(source: AsyncIterable<Buffer>, into: Buffer[]): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > MAX_BODY_BYTES)
      throw hubError('too_large', `the request is larger than the limit of ${MAX_BODY_BYTES} bytes`);
    into.push(chunk);
    yield chunk;
  }
}

interface Asked {
  readonly wants: Oid[];
  /** Nothing is known of what the client has: every object it can get follows from its wants. */
  isFresh: boolean;
}

/** Reads one argument of a fetch. Throws invalid_input for oids that are none and filters that are not offered. */
function readArgument(text: string, asked: Asked): void {
  const [word = '', value = ''] = text.split(' ', 2);
  if (word === 'want') {
    const oid = parseOid(value);
    if (oid === undefined) throw refuse('a want that is no object id');
    asked.wants.push(oid);
  } else if (word === 'have' || word === 'shallow') {
    if (parseOid(value) === undefined) throw refuse(`a ${word} that is no object id`);
    asked.isFresh = false;
  } else if (word === 'filter' && !/^(?:blob:none|blob:limit=\d{1,15}[kmg]?|tree:0)$/.test(value))
    throw hubError(
      'invalid_input',
      'this filter is not offered here: use blob:none, blob:limit=<size> or tree:0',
    );
  else if (word === 'deepen' && !/^[1-9]\d{0,9}$/.test(value))
    throw refuse('a depth that is no positive number');
}

/** A request in protocol version 0 or 1: wants with abilities behind the first, then what the client has. */
export async function parseFetch(source: AsyncIterable<Buffer>): Promise<FetchRequest> {
  const chunks: Buffer[] = [];
  const reader = new PktReader(recorded(source, chunks), MAX_BODY_BYTES);
  const asked: Asked = { wants: [], isFresh: true };
  for (let pkt = await reader.next(); pkt !== null; pkt = await reader.next()) {
    if (pkt === 'flush') continue;
    if (typeof pkt === 'string') throw refuse('a mark of another protocol version');
    readArgument(textOf(pkt), asked);
  }
  return { ...asked, isClone: false, body: Buffer.concat(chunks) };
}

export type Command =
  | { readonly kind: 'ls-refs'; readonly question: RefQuestion }
  | { readonly kind: 'fetch'; readonly request: FetchRequest }
  | { readonly kind: 'nothing' };

function questionOf(lines: readonly string[]): RefQuestion {
  const prefix = 'ref-prefix ';
  return {
    peel: lines.includes('peel'),
    symrefs: lines.includes('symrefs'),
    unborn: lines.includes('unborn'),
    prefixes: lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length)),
  };
}

/** Arguments that ask for nothing but a pack of everything. */
const isPlain = (line: string) =>
  /^(?:want [0-9a-f]{40}|done|ofs-delta|thin-pack|no-progress|include-tag)$/.test(line);

/** One command of protocol version 2: its name and abilities, a delimiter, its arguments, a flush. */
export async function parseCommand(source: AsyncIterable<Buffer>): Promise<Command> {
  const chunks: Buffer[] = [];
  const reader = new PktReader(recorded(source, chunks), MAX_BODY_BYTES);
  const head: string[] = [];
  const lines: string[] = [];
  let into = head;
  for (let pkt = await reader.next(); pkt !== 'flush'; pkt = await reader.next()) {
    if (pkt === null) throw refuse('it ends without a flush');
    if (pkt === 'end' || (pkt === 'delimiter' && into === lines)) throw refuse('a mark out of place');
    if (pkt === 'delimiter') into = lines;
    else into.push(textOf(pkt));
  }
  if (head.length === 0 && lines.length === 0) return { kind: 'nothing' };
  if (head.some((line) => line.startsWith('object-format=') && line !== 'object-format=sha1'))
    throw hubError('invalid_input', 'this hub names objects by SHA-1 only');
  const commands = head.filter((line) => line.startsWith('command='));
  if (commands.length !== 1) throw refuse('it must hold one command');
  if (commands[0] === 'command=ls-refs') return { kind: 'ls-refs', question: questionOf(lines) };
  if (commands[0] !== 'command=fetch') throw refuse(`unknown command ${JSON.stringify(commands[0])}`);
  const asked: Asked = { wants: [], isFresh: true };
  for (const line of lines) readArgument(line, asked);
  const isClone = lines.includes('done') && lines.includes('ofs-delta') && lines.every(isPlain);
  return { kind: 'fetch', request: { ...asked, isClone, body: Buffer.concat(chunks) } };
}
