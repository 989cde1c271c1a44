import type { Element, ElementContent, Nodes, Root } from 'hast';
import { highlighterFor, SHIKI_OPTIONS } from './highlighter.ts';

const MAX_BLOCK_CHARS = 60_000;
const MAX_BLOCKS = 150;

interface CodeBlock {
  readonly pre: Element;
  readonly language: string;
  readonly text: string;
}

function textOf(node: Nodes): string {
  if (node.type === 'text') return node.value;
  return 'children' in node ? node.children.map(textOf).join('') : '';
}

function blockOf(node: Nodes): CodeBlock | undefined {
  if (node.type !== 'element' || node.tagName !== 'pre') return undefined;
  const code = node.children.find(
    (child): child is Element => child.type === 'element' && child.tagName === 'code',
  );
  const names = Array.isArray(code?.properties.className) ? code.properties.className.map(String) : [];
  const language = names.find((name) => name.startsWith('language-'))?.slice('language-'.length);
  return code && language ? { pre: node, language, text: textOf(code).replace(/\n$/, '') } : undefined;
}

function collect(node: Nodes, found: CodeBlock[]): void {
  const block = blockOf(node);
  if (block) found.push(block);
  else if ('children' in node) for (const child of node.children) collect(child, found);
}

async function highlight({ pre, language, text }: CodeBlock): Promise<void> {
  const { highlighter, lang } = await highlighterFor(language);
  const tree = highlighter.codeToHast(text, { ...SHIKI_OPTIONS, lang });
  const shown = tree.children.find(
    (child): child is Element => child.type === 'element' && child.tagName === 'pre',
  );
  if (shown) pre.children = shown.children as ElementContent[];
}

/**
 * rehype plugin, after the sanitizer: colours code blocks whose language is known. Very long blocks and blocks
 * beyond the first 150 stay plain, so that no card can keep the server busy.
 */
export function highlightCode() {
  return async (tree: Root): Promise<void> => {
    const blocks: CodeBlock[] = [];
    collect(tree, blocks);
    for (const block of blocks.filter((b) => b.text.length <= MAX_BLOCK_CHARS).slice(0, MAX_BLOCKS))
      await highlight(block);
  };
}
