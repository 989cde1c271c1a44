'use client';

import ReactMarkdown from 'react-markdown';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import remarkGfm from 'remark-gfm';
import type { RepoRef } from '#lib/repos/types.ts';
import { rewriteAddresses } from './rewrite-addresses.ts';
import { cardSchema } from './sanitize-schema.ts';

interface Props {
  readonly text: string;
  readonly repo: RepoRef;
  readonly revision: string;
  /** Where relative links begin; the root when there is none. */
  readonly folder?: string;
}

/** The reader's own text as it will look, without formulas and coloured code. Loaded when it is first asked for. */
export default function MarkdownPreview({ text, repo, revision, folder = '' }: Props) {
  return (
    <div className="prose">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        remarkRehypeOptions={{ clobberPrefix: '' }}
        rehypePlugins={[
          rehypeRaw,
          [rehypeSanitize, cardSchema],
          rewriteAddresses({ repo, revision, folder }),
        ]}
        urlTransform={(url) => url}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
