/**
 * A Content-Disposition that carries any file name (RFC 6266): as UTF-8 (RFC 8187) for every client of today, and with
 * `_` for what is not printable ASCII. Nothing in a name can end its quotes or the header. `filename` comes last and is
 * followed by a semicolon, which RFC 6266 does not have, because huggingface_hub finds the name by that.
 */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${kind}; filename*=UTF-8''${encoded}; filename="${plain}";`;
}
