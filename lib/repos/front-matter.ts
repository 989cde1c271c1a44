import { type Document, isAlias, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { isJsonObject, type JsonObject, toJson } from '#lib/base/json.ts';

/** A README split into its YAML metadata and its Markdown. */
export interface FrontMatter {
  /** The metadata as plain JSON; {} when there is none or it is not valid. */
  readonly data: JsonObject;
  /** The Markdown below the metadata. */
  readonly body: string;
  /** Whether a metadata block is there at all. */
  readonly present: boolean;
  /** What is wrong with the block, one sentence each, with the line in the README. */
  readonly errors: readonly string[];
}

const MAX_YAML_CHARS = 1_000_000;
const MAX_DEPTH = 40;
const MAX_VALUES = 100_000;
const MAX_ALIASES = 100;
/** The parser spends up to 40 µs on each of these and does so on the event loop. Real cards have a few thousand. */
const STRUCTURE = /[[\]{},:#!&*|>"'\n]|[-?](?=\s)/g;
const MAX_STRUCTURE = 50_000;

/**
 * Reads the `---` block at the top of a card. Total: bad YAML, alias bombs, unknown tags and blocks over the
 * limits end as `errors`, never as an exception, and no value in `data` is anything but plain JSON. YAML 1.2
 * core rules: `no` is a string and dates stay text.
 */
export function parseFrontMatter(readme: string): FrontMatter {
  const text = readme.startsWith('\uFEFF') ? readme.slice(1) : readme;
  const block = splitBlock(text);
  if (!block) return { data: {}, body: text, present: false, errors: [] };
  const { data, errors } = parseYaml(block.yaml, block.firstLine);
  return { data, body: block.body, present: block.yaml.trim() !== '', errors };
}

interface Block {
  yaml: string;
  body: string;
  /** 1-based line of the README on which the YAML begins. */
  firstLine: number;
}

/** Finds the opening line of three dashes (blank lines before it are allowed) and the closing one. */
function splitBlock(text: string): Block | undefined {
  const opening = /^\s*---[ \t]*\r?\n/.exec(text);
  if (!opening) return undefined;
  const start = opening[0].length;
  const closing = /^---[ \t]*(?:\r?\n|$)/gm;
  closing.lastIndex = start;
  const end = closing.exec(text);
  if (!end) return undefined;
  return {
    yaml: text.slice(start, end.index),
    body: text.slice(end.index + end[0].length),
    firstLine: opening[0].split('\n').length,
  };
}

function parseYaml(yaml: string, firstLine: number): { data: JsonObject; errors: string[] } {
  if (yaml.length > MAX_YAML_CHARS)
    return { data: {}, errors: [`the metadata block is longer than ${MAX_YAML_CHARS} characters`] };
  if ((yaml.match(STRUCTURE)?.length ?? 0) > MAX_STRUCTURE)
    return { data: {}, errors: [`the metadata block has more than ${MAX_STRUCTURE} keys, items and lines`] };
  if (deeplyIndented(yaml))
    return { data: {}, errors: [`the metadata nests deeper than ${MAX_DEPTH} levels`] };
  try {
    const lineCounter = new LineCounter();
    // The parser's own search for repeated keys compares each with each: minutes for a megabyte of them.
    const options = { lineCounter, prettyErrors: false, stringKeys: true, uniqueKeys: false };
    const document = parseDocument(yaml, options);
    const problems = [...document.errors, ...document.warnings, ...repeatedKeys(document)].map(
      (problem) =>
        `line ${lineCounter.linePos(problem.pos[0]).line + firstLine - 1}: ${oneLine(problem.message)}`,
    );
    if (problems.length > 0) return { data: {}, errors: problems.slice(0, 10) };
    let aliases = 0;
    visit(document, (_key, node) => {
      if (isAlias(node)) aliases++;
    });
    if (aliases > MAX_ALIASES) return { data: {}, errors: [`more than ${MAX_ALIASES} aliases`] };
    const value = toJson(document.toJS({ maxAliasCount: MAX_ALIASES }), {
      maxDepth: MAX_DEPTH,
      maxNodes: MAX_VALUES,
    });
    if (value === null) return { data: {}, errors: [] };
    if (!isJsonObject(value))
      return { data: {}, errors: ['the metadata must be a mapping of keys to values'] };
    return { data: value, errors: [] };
  } catch (error) {
    return { data: {}, errors: [oneLine(error instanceof Error ? error.message : String(error))] };
  }
}

/** Keys that a mapping has twice, in the words of the parser. */
function repeatedKeys(document: Document): { message: string; pos: readonly [number] }[] {
  const problems: { message: string; pos: readonly [number] }[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value))
          problems.push({ message: 'Map keys must be unique', pos: [key.range?.[0] ?? 0] });
        seen.add(key.value);
      }
    },
  });
  return problems;
}

/** A cheap look before the recursive parser: brackets or dashes stacked beyond what a card needs. */
function deeplyIndented(yaml: string): boolean {
  let depth = 0;
  for (let i = 0; i < yaml.length; i++) {
    const char = yaml.charCodeAt(i);
    if (char === 0x5b || char === 0x7b) {
      if (++depth > 500) return true;
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return /(?:[-?:][ \t]){200}/.test(yaml);
}

function oneLine(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, 300);
}
