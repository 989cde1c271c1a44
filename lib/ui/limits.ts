/** Longest Markdown that is rendered: what a person can read, and what cannot keep the server busy for long. */
export const MAX_CARD_BYTES = 300_000;
