import { defaultSchema, type Options } from 'rehype-sanitize';

const dropped = new Set(['picture', 'source']);

/**
 * What a card may hold: GitHub's list (no script, style, iframe, svg, form; ids and names prefixed so that they
 * clobber nothing), without pictures by srcset, plus the classes that mark formulas. Free classes and styles stay
 * out, so that a card cannot lay itself over the page.
 */
export const cardSchema: Options = {
  ...defaultSchema,
  tagNames: (defaultSchema.tagNames ?? []).filter((name) => !dropped.has(name)),
  attributes: {
    ...defaultSchema.attributes,
    code: [['className', /^language-[\w+#-]{1,40}$/, 'math-inline', 'math-display']],
    img: [...(defaultSchema.attributes?.img ?? []), 'width', 'height', 'alt'],
  },
  protocols: {
    ...defaultSchema.protocols,
    href: ['http', 'https', 'mailto'],
    src: ['http', 'https'],
  },
};
