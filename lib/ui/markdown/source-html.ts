import { MAX_COLOURED_CHARS } from '../limits.ts';
import { highlighterFor, SHIKI_OPTIONS } from './highlighter.ts';

const BY_NAME = new Map(
  Object.entries({
    dockerfile: 'docker',
    makefile: 'make',
    '.gitattributes': 'ini',
    '.gitignore': 'ini',
  }),
);
const BY_EXTENSION = new Map(
  Object.entries({
    py: 'python',
    js: 'javascript',
    mjs: 'javascript',
    cjs: 'javascript',
    ts: 'typescript',
    tsx: 'tsx',
    jsx: 'jsx',
    json: 'json',
    jsonl: 'json',
    yaml: 'yaml',
    yml: 'yaml',
    toml: 'toml',
    md: 'markdown',
    sh: 'bash',
    bash: 'bash',
    c: 'c',
    h: 'c',
    cc: 'cpp',
    cpp: 'cpp',
    hpp: 'cpp',
    cu: 'cpp',
    rs: 'rust',
    go: 'go',
    java: 'java',
    sql: 'sql',
    html: 'html',
    css: 'css',
    xml: 'xml',
    svg: 'xml',
    csv: 'csv',
    tex: 'latex',
    r: 'r',
    jl: 'julia',
    lua: 'lua',
    swift: 'swift',
    kt: 'kotlin',
    ini: 'ini',
    cfg: 'ini',
    diff: 'diff',
    jinja: 'jinja',
    proto: 'proto',
  }),
);

/** The language of a file by its name; `text` when there is none. */
export function languageOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return BY_NAME.get(name) ?? BY_EXTENSION.get(name.slice(name.lastIndexOf('.') + 1)) ?? 'text';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '');

function lineHtml(number: number, inner: string): string {
  return `<div id="L${number}" class="source-line"><a href="#L${number}" aria-label="L${number}" data-line="${number}"></a><code>${inner}\n</code></div>`;
}

/**
 * A source as HTML, line by line with linked numbers, coloured by the language that its name tells unless it is
 * long. One string and not elements: thousands of lines cost little this way. All text is escaped; colours come
 * from our own themes. The caller bounds the length.
 */
export async function sourceHtml(source: string, path: string): Promise<string> {
  const language = source.length <= MAX_COLOURED_CHARS ? languageOf(path) : 'text';
  if (language === 'text') {
    return source
      .split('\n')
      .map((line, i) => lineHtml(i + 1, escapeHtml(line)))
      .join('');
  }
  const { highlighter, lang } = await highlighterFor(language);
  const { tokens } = highlighter.codeToTokens(source, { ...SHIKI_OPTIONS, lang: lang as 'json' });
  return tokens
    .map((line, i) => {
      const inner = line.map((token) => {
        const color = typeof token.htmlStyle === 'object' ? token.htmlStyle.color : undefined;
        const text = escapeHtml(token.content);
        return color === undefined ? text : `<span style="color:${escapeHtml(color)}">${text}</span>`;
      });
      return lineHtml(i + 1, inner.join(''));
    })
    .join('');
}
