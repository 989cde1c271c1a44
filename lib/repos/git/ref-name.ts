const MAX_BYTES = 255;

/**
 * Whether git accepts this as the name of a ref below refs/heads/ or refs/tags/ (git-check-ref-format(1)), and we
 * do: at most 255 bytes, not beginning with `-`, not what a URL reads as something else (`HEAD`, `None`, `refs/…`,
 * an oid).
 */
export function isRefName(name: string): boolean {
  if (name === '' || !name.isWellFormed() || Buffer.byteLength(name) > MAX_BYTES) return false;
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|^\/|[/.]$|^-|^@$/u.test(name)) return false;
  if (name.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'))) return false;
  return !/^(?:HEAD|None|refs(?:\/.*)?|[0-9a-f]{40})$/i.test(name);
}
