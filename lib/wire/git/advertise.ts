import type { AdvertisedRef, Advertisement } from '#lib/repos/advertise-refs.ts';
import { FLUSH, pktLine } from './pkt-line.ts';

export type Service = 'git-upload-pack' | 'git-receive-pack';

const AGENT = 'agent=larder/1';
const NO_OID = '0'.repeat(40);
const FETCH = [
  'multi_ack',
  'multi_ack_detailed',
  'no-done',
  'thin-pack',
  'side-band',
  'side-band-64k',
  'ofs-delta',
  'shallow',
  'deepen-since',
  'deepen-not',
  'deepen-relative',
  'no-progress',
  'include-tag',
  'allow-tip-sha1-in-want',
  'allow-reachable-sha1-in-want',
  'filter',
  'object-format=sha1',
];
const PUSH = [
  'report-status',
  'report-status-v2',
  'delete-refs',
  'side-band-64k',
  'quiet',
  'atomic',
  'ofs-delta',
  'push-options',
  'object-format=sha1',
];

const headOf = ({ refs, head }: Advertisement) => refs.find((ref) => ref.name === head);

function linesOf(ref: AdvertisedRef): string[] {
  const own = `${ref.oid} ${ref.name}`;
  return ref.peeled === null ? [own] : [own, `${ref.peeled} ${ref.name}^{}`];
}

/**
 * What a repo shows of itself in protocol versions 0 and 1 (gitprotocol-pack(5)): its refs, with our abilities behind
 * the first. For pushes git speaks nothing newer.
 */
export function formatRefs(service: Service, shown: Advertisement, version: 0 | 1): Buffer {
  const isFetch = service === 'git-upload-pack';
  const head = isFetch ? headOf(shown) : undefined;
  const lines = shown.refs.flatMap(linesOf);
  if (head) lines.unshift(`${head.oid} HEAD`);
  const abilities = isFetch ? [...FETCH, ...(head ? [`symref=HEAD:${shown.head}`] : [])] : PUSH;
  const [first = `${NO_OID} capabilities^{}`, ...more] = lines;
  return Buffer.concat([
    pktLine(`# service=${service}\n`),
    FLUSH,
    ...(version === 1 ? [pktLine('version 1\n')] : []),
    pktLine(`${first}\0${[...abilities, AGENT].join(' ')}\n`),
    ...more.map((line) => pktLine(`${line}\n`)),
    FLUSH,
  ]);
}

/** Our abilities in protocol version 2 (gitprotocol-v2(5)). */
export function formatAbilities(): Buffer {
  const lines = [
    'version 2',
    AGENT,
    'ls-refs=unborn',
    'fetch=shallow wait-for-done filter',
    'server-option',
    'object-format=sha1',
  ];
  return Buffer.concat([
    pktLine('# service=git-upload-pack\n'),
    FLUSH,
    ...lines.map((line) => pktLine(`${line}\n`)),
    FLUSH,
  ]);
}

export interface RefQuestion {
  readonly peel: boolean;
  readonly symrefs: boolean;
  readonly unborn: boolean;
  /** Empty: all refs. */
  readonly prefixes: readonly string[];
}

/** The answer to the command ls-refs of protocol version 2. */
export function formatLsRefs(shown: Advertisement, question: RefQuestion): Buffer {
  const { prefixes, peel, symrefs, unborn } = question;
  const isAsked = (name: string) =>
    prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  const head = headOf(shown);
  const target = symrefs ? ` symref-target:${shown.head}` : '';
  const lines: string[] = [];
  if (isAsked('HEAD') && head) lines.push(`${head.oid} HEAD${target}`);
  else if (isAsked('HEAD') && unborn) lines.push(`unborn HEAD${target}`);
  for (const { name, oid, peeled } of shown.refs)
    if (isAsked(name)) lines.push(`${oid} ${name}${peel && peeled !== null ? ` peeled:${peeled}` : ''}`);
  return Buffer.concat([...lines.map((line) => pktLine(`${line}\n`)), FLUSH]);
}
