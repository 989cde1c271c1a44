import type { Oid } from '#lib/base/ids.ts';

/** Headers that vouch for exactly the old content, or hold a copy of what it led to. */
const VOUCHING = /^(?:gpgsig|gpgsig-sha256|mergetag)$/;
const SIGNATURE = /^-----BEGIN (?:PGP|SSH) SIGNATURE-----$/m;

/**
 * A commit object's content with another tree and other parents; everything else stays byte for byte (authors, times,
 * encoding, message), but for signatures, which would be wrong.
 */
export function replaceCommitLinks(content: Buffer, tree: Oid, parents: readonly Oid[]): Buffer {
  const text = content.toString('latin1');
  const split = text.indexOf('\n\n');
  const head = split < 0 ? text : text.slice(0, split);
  const lines: string[] = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`)];
  let isKept = false;
  for (const line of head.split('\n')) {
    const key = line.slice(0, Math.max(line.indexOf(' '), 0));
    if (key !== '') isKept = key !== 'tree' && key !== 'parent' && !VOUCHING.test(key);
    if (isKept) lines.push(line); // a line that begins with a space goes on with the header before it
  }
  return Buffer.from(lines.join('\n') + (split < 0 ? '' : text.slice(split)), 'latin1');
}

/** An annotated tag's content with another target; a signature at its end is cut off, since it would be wrong. */
export function replaceTagTarget(content: Buffer, target: Oid): Buffer {
  const text = content.toString('latin1').replace(/^object [0-9a-f]{40}/, `object ${target}`);
  const signature = SIGNATURE.exec(text);
  return Buffer.from(signature ? text.slice(0, signature.index) : text, 'latin1');
}
