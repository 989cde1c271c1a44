import { hubError } from '#lib/base/errors.ts';
import { type Oid, parseOid } from '#lib/base/ids.ts';
import type { PushRequest, RefCommand } from '#lib/repos/push/types.ts';
import { PktReader, textOf } from './pkt-line.ts';

/** Room for some 10,000 refs. */
const MAX_LINES_BYTES = 2 * 1024 * 1024;
const MAX_COMMANDS = 10_000;
const NO_OID = '0'.repeat(40);

export interface ParsedPush extends PushRequest {
  /** What the client can read of our answer. */
  readonly abilities: ReadonlySet<string>;
}

const refuse = (what: string) => hubError('invalid_input', `malformed push: ${what}`);

function oidIn(text: string | undefined): Oid | null {
  if (text === NO_OID) return null;
  const oid = parseOid(text);
  if (oid === undefined) throw refuse('a line without two object ids');
  return oid;
}

function commandOf(line: string): RefCommand {
  const [, oldOid, newOid, ref] = /^(\S+) (\S+) (.+)$/su.exec(line) ?? [];
  if (ref === undefined) throw refuse('a line without two object ids and a ref');
  if (Buffer.byteLength(ref) > 1000) throw refuse('the name of a ref is too long');
  return { oldOid: oidIn(oldOid), newOid: oidIn(newOid), ref };
}

/**
 * Reads the lines of a push (gitprotocol-pack(5), "Reference Update Request"): commands, the client's abilities behind
 * the first, push options (which nothing here needs); the pack is what follows. A push without commands is how git
 * asks whether its credentials are good. Throws invalid_input, too_large.
 */
export async function parsePush(source: AsyncIterable<Buffer>): Promise<ParsedPush> {
  const reader = new PktReader(source, MAX_LINES_BYTES);
  const lines = await reader.untilFlush();
  const commands: RefCommand[] = [];
  const abilities = new Set<string>();
  for (const bytes of lines) {
    const text = textOf(bytes);
    if (text.startsWith('shallow ')) continue; // what a shallow clone lacks is here, or its push is refused
    if (text.startsWith('push-cert'))
      throw hubError('invalid_input', 'signed pushes are not offered here: push without --signed');
    const [command = '', more = ''] = commands.length === 0 ? text.split('\0', 2) : [text];
    for (const ability of more.split(' ')) if (ability !== '') abilities.add(ability);
    if (commands.length === MAX_COMMANDS)
      throw hubError('too_large', `a push may name ${MAX_COMMANDS} refs: push in parts`);
    if (command.includes('\0')) throw refuse('a NUL inside a line');
    commands.push(commandOf(command));
  }
  if (abilities.has('push-options')) await reader.untilFlush();
  const format = [...abilities].find((ability) => ability.startsWith('object-format='));
  if (format !== undefined && format !== 'object-format=sha1')
    throw hubError('invalid_input', 'this hub names objects by SHA-1 only');
  return { commands, abilities, isAtomic: abilities.has('atomic'), pack: reader.remainder() };
}
