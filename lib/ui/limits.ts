/** Longest Markdown that is rendered: what a person can read, and what cannot keep the server busy for long. */
export const MAX_CARD_BYTES = 300_000;

/** Most bytes of a text file that are shown as source; the rest is for download. */
export const MAX_SOURCE_BYTES = 400_000;
/** Most lines of it; a browser gets slow with more. */
export const MAX_SOURCE_LINES = 6_000;
/** Longer sources are shown without colours. */
export const MAX_COLOURED_CHARS = 120_000;

/** Shown beside password fields; the hub itself decides (lib/identity/passwords.ts). */
export const MIN_PASSWORD_LENGTH = 8;

/** Largest text file that the editor opens: larger ones make browsers slow and are for other tools. */
export const MAX_EDITABLE_BYTES = 1_000_000;
