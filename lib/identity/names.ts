import { hubError } from '#lib/base/errors.ts';

/**
 * First path segments that the hub itself uses, now or by the Hub's protocol, plus words that would mislead in an
 * address. No user or organization may be called so; tests/identity/names.test.ts checks it against the routes
 * and the pages.
 */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(
  `_next about account accounts admin administrator anonymous api app apps assets auth avatars blog buckets callback
  cas catalog changelog chat collections community contact css dashboard datasets dataset deploy discover discussions
  docs documentation download downloads endpoint endpoints error errors events explore faq favicon favicons feed
  files fonts forgot gateway git health healthz help home hooks hub icons images img inference invite issues jobs js
  kernels languages legal lfs library licenses livez local localhost login logout me media metrics model models my
  new news none notifications null oauth offline organization organizations orgs owner papers password playground
  posts pricing privacy profile public raw readyz register repo repos reset robots root rss s3 scim scripts search
  security server service session sessions settings shard shards sign-in sign-out sign-up signin signout signup
  sitemap space spaces sso static stats status storage store styles support system tag tags tasks teams terms tokens
  topics tree trending true tus undefined unknown update upload uploads user users v1 v2 v3 version webhook webhooks
  well-known whoami wiki worker workers www xet xorb xorbs`
    .split(/\s+/)
    .filter(Boolean),
);

/** Device names that Windows cannot make a folder of. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;
const NAMESPACE = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,40}[A-Za-z0-9])?$/;
const REPO = /^[A-Za-z0-9_.-]{1,96}$/;

/** What is wrong with a new user's or organization's name, as one public sentence, or null. */
export function namespaceNameProblem(name: string): string | null {
  if (name.length < 2 || name.length > 42) return 'must have 2 to 42 characters';
  if (!NAMESPACE.test(name)) {
    return 'may hold ASCII letters, digits, "-" and "_" only, and must begin and end with a letter or digit';
  }
  if (/--|__/.test(name)) return 'must not contain "--" or "__"';
  if (/^\d+$/.test(name)) return 'must not consist of digits alone';
  if (RESERVED_NAMES.has(name.toLowerCase()) || DEVICE.test(name)) return 'is reserved';
  return null;
}

/**
 * What is wrong with a name of a repo or endpoint, or null. The rule is the clients' own (hf-api §7.31): what they
 * could not address must not exist.
 */
export function repoNameProblem(name: string): string | null {
  if (name.length < 1 || name.length > 96) return 'must have 1 to 96 characters';
  if (!REPO.test(name)) return 'may hold ASCII letters, digits, "-", "_" and "." only';
  if (/^[.-]|[.-]$/.test(name)) return 'must not begin or end with "-" or "."';
  if (/--|\.\./.test(name)) return 'must not contain "--" or ".."';
  if (/\.(?:git|lock)$/i.test(name)) return 'must not end with ".git" or ".lock"';
  if (DEVICE.test(name)) return 'is reserved';
  return null;
}

/** Returns a repo's or endpoint's name unchanged, or throws invalid_input saying what is wrong with it. */
export function validateName(name: string): string {
  const problem = repoNameProblem(name);
  if (problem) throw hubError('invalid_input', `name ${problem}`);
  return name;
}

/** Returns a new user's or organization's name unchanged, or throws invalid_input saying what is wrong with it. */
export function validateNamespaceName(name: string): string {
  const problem = namespaceNameProblem(name);
  if (problem) throw hubError('invalid_input', `name ${problem}`);
  return name;
}

/** A word by which names that look alike are equal: case, separators, 0/o, 1/l/i, vv/w and rn/m do not tell apart. */
export function nameSkeleton(name: string): string {
  return name
    .toLowerCase()
    .replace(/[-_.]/g, '')
    .replace(/0/g, 'o')
    .replace(/[1l]/g, 'i')
    .replace(/vv/g, 'w')
    .replace(/rn/g, 'm');
}
