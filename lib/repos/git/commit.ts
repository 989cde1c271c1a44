import type { Oid } from '#lib/base/ids.ts';

export interface Signature {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch; written with offset +0000. */
  readonly atSeconds: number;
}

export interface CommitContent {
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  readonly author: Signature;
  readonly committer: Signature;
  /** The whole message: title, empty line, body. */
  readonly message: string;
}

/** What git refuses inside a name or an address is left out, as git itself does. */
const crud = (text: string) => text.replaceAll(/[\0\n\r<>]/g, '').trim();

const formatSignature = (s: Signature) => `${crud(s.name)} <${crud(s.email)}> ${s.atSeconds} +0000`;

/** A commit object's content. The message ends in one newline, as `git commit` writes it. */
export function encodeCommit(commit: CommitContent): Buffer {
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${formatSignature(commit.author)}`,
    `committer ${formatSignature(commit.committer)}`,
    '',
    `${commit.message.trimEnd()}\n`,
  ];
  return Buffer.from(lines.join('\n'), 'utf8');
}

function parseSignature(line: string): Signature {
  const match = /^(.*?) ?<([^>]*)> (-?\d+) [+-]\d{4}$/.exec(line);
  if (!match) return { name: line, email: '', atSeconds: 0 };
  return { name: match[1] ?? '', email: match[2] ?? '', atSeconds: Number(match[3]) };
}

/** Reads a commit object. Headers that we do not know (signatures, encodings) are skipped. Throws when it is not a commit. */
export function parseCommit(content: Buffer): CommitContent {
  const text = content.toString('utf8');
  const split = text.indexOf('\n\n');
  const head = split < 0 ? text : text.slice(0, split);
  const parents: Oid[] = [];
  const single = new Map<string, string>();
  for (const line of head.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue; // continuation line of a multi-line header
    const key = line.slice(0, space);
    const value = line.slice(space + 1);
    if (key === 'parent') parents.push(value as Oid);
    else if (!single.has(key)) single.set(key, value);
  }
  const tree = single.get('tree');
  const author = single.get('author');
  if (tree === undefined || author === undefined) throw new Error('not a commit object');
  return {
    tree: tree as Oid,
    parents,
    author: parseSignature(author),
    committer: parseSignature(single.get('committer') ?? author),
    message: split < 0 ? '' : text.slice(split + 2),
  };
}

/** First line of a message, and the rest without the empty line between. */
export function splitMessage(message: string): { title: string; body: string } {
  const text = message.replaceAll('\r\n', '\n').trimEnd();
  const end = text.indexOf('\n');
  if (end < 0) return { title: text, body: '' };
  return { title: text.slice(0, end), body: text.slice(end + 1).replace(/^\n+/, '') };
}

/** Target and its kind of an annotated tag object. Throws when it is not a tag. */
export function parseTag(content: Buffer): { object: Oid; type: string } {
  const match = /^object ([0-9a-f]{40})\ntype ([a-z]+)\n/.exec(content.toString('latin1'));
  if (!match?.[1] || !match[2]) throw new Error('not a tag object');
  return { object: match[1] as Oid, type: match[2] };
}

/** An annotated tag object of a commit. The message ends in one newline, as `git tag -m` writes it. */
export function encodeTag(tag: {
  readonly object: Oid;
  /** Short name, without refs/tags/. */
  readonly name: string;
  readonly tagger: Signature;
  readonly message: string;
}): Buffer {
  const lines = [
    `object ${tag.object}`,
    'type commit',
    `tag ${tag.name}`,
    `tagger ${formatSignature(tag.tagger)}`,
    '',
    `${tag.message.trimEnd()}\n`,
  ];
  return Buffer.from(lines.join('\n'), 'utf8');
}
