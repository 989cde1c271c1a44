import { renderToStaticMarkup } from 'react-dom/server';
import { MarkdownAsync as renderTree } from 'react-markdown';
import rehypeKatex from 'rehype-katex';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeSlug from 'rehype-slug';
import remarkGfm from 'remark-gfm';
import remarkMath from 'remark-math';
import { highlightCode } from './highlight-code.ts';
import { type MarkdownPlace, rewriteAddresses } from './rewrite-addresses.ts';
import { cardSchema } from './sanitize-schema.ts';

/** No commands that link, load or define without end; a formula that is wrong shows itself in red. */
const KATEX = {
  trust: false,
  strict: 'ignore',
  throwOnError: false,
  maxExpand: 200,
  maxSize: 20,
  errorColor: 'var(--bad)',
} as const;

/**
 * The Markdown of a stranger as HTML. Raw HTML is parsed, then sanitized; only what our own plugins add comes
 * after the sanitizer. Hostile texts can take minutes or overflow the stack: call it through render-pool.ts only.
 */
export async function renderMarkdown(text: string, place: MarkdownPlace): Promise<string> {
  const tree = await renderTree({
    children: text,
    // The sanitizer prefixes all ids; two prefixes would part footnotes from their links.
    remarkRehypeOptions: { clobberPrefix: '' },
    remarkPlugins: [remarkGfm, [remarkMath, { singleDollarTextMath: true }]],
    rehypePlugins: [
      rehypeRaw,
      [rehypeSanitize, cardSchema],
      [rehypeSlug, { prefix: 'user-content-' }],
      rewriteAddresses(place),
      [rehypeKatex, KATEX],
      highlightCode,
    ],
    urlTransform: (url) => url,
  });
  return renderToStaticMarkup(tree);
}
