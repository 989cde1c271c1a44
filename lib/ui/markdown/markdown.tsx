import 'katex/dist/katex.min.css';
import { MarkdownAsync as renderMarkdown } from 'react-markdown';
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
 * Renders the Markdown of a stranger. Raw HTML is parsed, then sanitized; only what our own plugins add comes
 * after the sanitizer. `text` must be bounded by the caller.
 */
export async function Markdown({ text, place }: { text: string; place: MarkdownPlace }) {
  return (
    <div className="prose">
      {
        await renderMarkdown({
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
        })
      }
    </div>
  );
}
