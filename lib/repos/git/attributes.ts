import { PatternList } from './path-pattern.ts';

/** What one .gitattributes says about the attribute `filter`. */
export interface FilterRules {
  /** 'lfs', another filter's name, or null for unset; undefined when no line speaks of the path. */
  filterOf(path: string): string | null | undefined;
}

/** git does not read longer lines. */
const MAX_LINE_BYTES = 2048;

/** Undoes git's C-style quoting of a pattern; null when the quote does not close. */
function unquote(line: string): { pattern: string; rest: string } | null {
  const match = /^"((?:[^"\\]|\\.)*)"(?=[ \t]|$)/.exec(line);
  if (!match) return null;
  const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
  const bytes = (match[1] ?? '').replace(/\\([0-3][0-7]{2}|.)/g, (_, e: string) =>
    e.length === 3 ? String.fromCharCode(Number.parseInt(e, 8)) : (escapes[e] ?? e),
  );
  return { pattern: bytes, rest: line.slice(match[0].length) };
}

/** The filter that a list of attributes sets, by way of macros too. */
function filterIn(attributes: readonly string[], macros: ReadonlyMap<string, string | null | undefined>) {
  let filter: string | null | undefined;
  for (const attribute of attributes) {
    if (attribute.startsWith('filter=')) filter = attribute.slice('filter='.length);
    else if (attribute === '-filter' || attribute === '!filter' || attribute === 'filter') filter = null;
    else if (macros.has(attribute)) filter = macros.get(attribute) ?? filter;
  }
  return filter;
}

/** Compiles a .gitattributes (gitattributes(5)) as far as it decides which files are kept as LFS pointers. */
export function parseAttributes(text: string): FilterRules {
  const macros = new Map<string, string | null | undefined>();
  const filters = new PatternList<string | null>();
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    const line = raw.replace(/\r$/, '').replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#') || line.length > MAX_LINE_BYTES) continue;
    const space = line.search(/[ \t]/);
    const plain =
      space < 0 ? { pattern: line, rest: '' } : { pattern: line.slice(0, space), rest: line.slice(space) };
    const { pattern, rest } = (line.startsWith('"') ? unquote(line) : null) ?? plain;
    const filter = filterIn(rest.split(/[ \t\r]+/), macros);
    if (pattern.startsWith('[attr]')) macros.set(pattern.slice('[attr]'.length), filter);
    else if (filter !== undefined && !pattern.startsWith('!')) filters.add(pattern, filter);
  }
  return { filterOf: (path) => filters.last(path, false) };
}

/** A line that makes git keep exactly this path (and its namesakes) as an LFS pointer. */
export function lfsLine(path: string): string {
  const escaped = path.replace(/[\\*?[]/g, '\\$&').replace(/^["#!]/, '\\$&');
  const attributes = ' filter=lfs diff=lfs merge=lfs -text';
  const spelled = escaped.replace(/[\t\n\r ]/g, '[[:space:]]');
  const long = Buffer.byteLength(spelled + attributes) > MAX_LINE_BYTES;
  return (long ? escaped.replace(/[\t\n\r ]/g, '?') : spelled) + attributes;
}

const COMMON = `*.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz
  *.onnx *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite
  *.tgz *.wasm *.xz *.zip *.zst *tfevents*`;
const DATASET = `*.lz4 *.mds *.pcm *.sam *.raw *.aac *.flac *.mp3 *.ogg *.wav *.bmp *.gif *.png *.tiff *.jpg *.jpeg *.webp
  *.mp4 *.webm`;

/** The .gitattributes that a new repo begins with (patterns of the Hub's protocol, hf-api §2.2). */
export function initialAttributes(type: 'model' | 'dataset'): string {
  const patterns = (type === 'dataset' ? `${COMMON} ${DATASET}` : COMMON).trim().split(/\s+/);
  return patterns.map((pattern) => `${pattern} filter=lfs diff=lfs merge=lfs -text\n`).join('');
}
