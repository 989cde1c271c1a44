import { hubError } from '#lib/base/errors.ts';

/**
 * First path segments that the hub itself uses, now or by the Hub's protocol, plus words that would mislead in an
 * address. No user or organization may be called so; tests/identity/names.test.ts checks it against the routes
 * and the pages.
 */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(
  `about abuse account accounts admin-area administrator anonymous api app apps assets auth avatars billing blog
  brand buckets bucket callback cas catalog cdn chat collections community contact contribute cookies css dashboard
  dataset datasets deploy discover discussions dl doc docs documentation download downloads edit email enterprise
  error errors events explore facets favicon favicons feed files fonts forgot forum front gateway git giturl
  health healthz help home hook hooks hub huggingchat icons images img inference inference-endpoints internal
  invite issues jobs join js kernel kernels languages learn legal library licenses link livez local localhost lfs
  login logout me media messages metrics model models my namespace new news none notifications null oauth
  organization organizations organisations orgs owner package packages papers password paypal playground posts press
  pricing privacy profile profiles public raw readyz recover register registry repo repos reset resolve robots root
  rss s s3 scim script scripts search security self server service services session sessions settings share shop
  sign-in sign-out sign-up signin signout signup sitemap space spaces sql sso staff static stats status storage store
  style styles subscribe support system tag tags tasks team teams telemetry terms test tokens topics tos tree trending
  true tus undefined unknown update upload uploads user users v1 v2 v3 version watching web webhook webhooks
  webmaster welcome well-known whoami wiki workers www xet xorbs xorb shards shard _next endpoints endpoint`
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
