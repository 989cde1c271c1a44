import { contentDisposition } from '#lib/base/content-disposition.ts';

/** Extension -> type of what browsers may show in place; everything else is text/plain or octet-stream. */
const INLINE_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  webm: 'video/webm',
  json: 'application/json',
  jsonl: 'text/plain; charset=utf-8',
};
const TEXT =
  /\.(?:txt|md|markdown|rst|py|js|mjs|cjs|ts|c|h|cc|cpp|hpp|rs|go|java|sh|ya?ml|toml|ini|cfg|csv|tsv|jinja2?|gitattributes|gitignore|log|lock|ipynb|proto|sql|tex|bib|patch|diff)$|(?:^|\/)(?:LICENSE|NOTICE|README|Makefile|Dockerfile)$/i;
/** What a browser would run or load further things from: only ever as a download. */
const ACTIVE = /\.(?:html?|xhtml|xht|shtml|svgz?|xml|xsl|xslt|rdf|mhtml?|pdf|swf|hta|htc)$/i;

export interface ContentHeaders {
  readonly contentType: string;
  readonly contentDisposition: string;
}

/**
 * How users' bytes are labelled: types a browser would execute are octet-stream attachments, text is plain text,
 * a few media types stay themselves. `save` makes anything an attachment.
 */
export function contentHeaders(path: string, save = false): ContentHeaders {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const active = ACTIVE.test(name);
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const contentType = active
    ? 'application/octet-stream'
    : (INLINE_TYPES[extension] ??
      (TEXT.test(name) ? 'text/plain; charset=utf-8' : 'application/octet-stream'));
  return {
    contentType,
    contentDisposition: contentDisposition(active || save ? 'attachment' : 'inline', name),
  };
}

/** Sent with every byte that a user uploaded: nothing in it may run on the hub's origin (abuse.md rule 4). */
export const SANDBOX_CSP = "default-src 'none'; sandbox";
