import { readFileSync } from 'node:fs';
import { z } from 'zod';

const flag = (fallback: 'true' | 'false') =>
  z
    .enum(['true', 'false', '1', '0'])
    .default(fallback)
    .transform((v) => v === 'true' || v === '1');

const quota = (reason: string) => z.coerce.number().int().min(0).default(0).describe(reason);

/** Every key the product reads, with the reason it exists. `.env.example` and the README table come from here. */
export const configSchema = z.object({
  LARDER_URL: z
    .url()
    .optional()
    .describe(
      'Public address, e.g. https://hub.example.org. Links and commit URLs are built from it. Without it the address that the client used is taken, if it is one of this machine.',
    ),
  LARDER_ALLOWED_HOSTS: z
    .string()
    .default('')
    .describe(
      'More host names, comma-separated, under which clients may address this hub (when LARDER_URL is not the only one).',
    ),
  HOST: z.string().default('0.0.0.0').describe('Interface to listen on.'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000).describe('Public port.'),
  LARDER_DATA: z
    .string()
    .default('./data')
    .describe('Folder for everything local: embedded Postgres, the local object store, weights cache.'),
  LARDER_ROLE: z
    .enum(['all', 'wire', 'pages', 'gateway'])
    .default('all')
    .describe('Which part of the server this process answers; all others get 404 from it.'),
  DATABASE_URL: z
    .string()
    .describe('Postgres 15 or newer. The launcher starts an embedded one when it is absent.'),
  DATABASE_POOL: z.coerce
    .number()
    .int()
    .min(2)
    .max(200)
    .default(20)
    .describe('Most connections of one process.'),
  S3_ENDPOINT: z
    .url()
    .optional()
    .describe('S3-compatible store. Without it objects are files under LARDER_DATA.'),
  S3_BUCKET: z.string().default('larder').describe('Bucket; created when missing.'),
  S3_REGION: z.string().default('us-east-1').describe('Region used in signatures.'),
  S3_ACCESS_KEY_ID: z.string().optional().describe('Key with read and write on the bucket.'),
  S3_SECRET_ACCESS_KEY: z.string().optional().describe('Its secret.'),
  S3_DIRECT: flag('true').describe(
    'Clients may reach the store themselves: downloads are redirected to signed URLs. false: bytes stream through the hub.',
  ),
  S3_PUBLIC_ENDPOINT: z
    .url()
    .optional()
    .describe('Address under which clients reach the store, when it differs from S3_ENDPOINT.'),
  LARDER_ADMIN_NAME: z.string().default('admin').describe('Name of the administrator made at first start.'),
  LARDER_ADMIN_PASSWORD: z
    .string()
    .optional()
    .describe('Their password; generated and printed once when absent.'),
  LARDER_ADMIN_TOKEN: z
    .string()
    .optional()
    .describe('An access token (hf_…, at least 35 characters) for them.'),
  LARDER_SEED: z
    .string()
    .optional()
    .describe('JSON file of users and organizations, applied at every start without ever removing anything.'),
  LARDER_SIGNUP: flag('true').describe('Whether strangers may create an account on the sign-up page.'),
  LARDER_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe(
      'Root of all signing keys. Generated and kept in the database when absent; set it when the database is backed up to less trusted places.',
    ),
  LARDER_TRUSTED_PROXIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe('How many reverse proxies in front may set X-Forwarded-For.'),
  LARDER_ENGINE_THREADS: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Threads of one inference engine; 0 means one less than the cores.'),
  LARDER_WEIGHTS_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(200_000_000_000)
    .describe(
      'Most bytes of model weights kept on a worker for engines; those longest unused go first, those in use never.',
    ),
  LARDER_WORKER_HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .describe('Port on 127.0.0.1 where the worker answers /healthz; 0 means none.'),
  LARDER_ENDPOINTS_PER_NAMESPACE: z.coerce
    .number()
    .int()
    .min(0)
    .default(20)
    .describe('Most endpoints that may run in one namespace at a time.'),
  LARDER_ENGINES_OUTLIVE_WORKER: flag('false').describe(
    'Leave engines running when the worker stops in order (rolling updates); a new worker adopts them.',
  ),
  LARDER_INLINE_SHA256_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(2_000_000_000)
    .describe(
      'Largest Xet file whose SHA-256 is recomputed before the upload is acknowledged; larger ones are verified in the background.',
    ),
  LARDER_GUEST_UPLOAD_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(50_000_000_000)
    .describe(
      'Bytes of large files that a user who may not write to a repo may bring to it with pull requests, all together.',
    ),
  LARDER_UNNAMED_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(50_000_000_000)
    .describe(
      'Where a quota holds: bytes that a user may have uploaded in chunks that no file names yet, and as much in unfinished uploads of the browser, beyond what still fits into the quota. They are deleted after 22 days, or 7.',
    ),
  LARDER_OPEN_UPLOADS: z.coerce
    .number()
    .int()
    .min(1)
    .default(500)
    .describe(
      'Uploads from the browser that a user may have unfinished at a time; they expire seven days after their last byte.',
    ),
  LARDER_BROWSER_UPLOADS: z
    .enum(['auto', 'hub'])
    .default('auto')
    .describe(
      'Where browsers send large files: auto is the store itself when they can reach it, else the hub; hub is always the hub.',
    ),
  LARDER_QUOTA_USER_BYTES: quota(
    'Bytes of large files that all repos of one user may hold together; 0 means no limit. An administrator may set another for a user.',
  ),
  LARDER_QUOTA_ORG_BYTES: quota(
    'The same for one organization; 0 means no limit. An administrator may set another for an organization.',
  ),
  LARDER_QUOTA_REPO_BYTES: quota(
    'The same for one repo; 0 means no limit. An administrator may set another for a repo.',
  ),
  LARDER_DEDUP_DOMAIN: z
    .enum(['namespace', 'hub'])
    .default('namespace')
    .describe(
      'Within which boundary uploads share chunks of what others stored: the owner’s namespace, or the whole hub. hub saves more, and lets everyone who may upload anywhere find out whether bytes that they have are stored in a private repo.',
    ),
  LARDER_CONVERT_LFS: flag('false').describe(
    'Convert large files that came whole (Git LFS, browser) to deduplicated chunks in the background. Owners can also convert one repo from its settings.',
  ),
  LARDER_GIT_CACHE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(20_000_000_000)
    .describe(
      'Most bytes of the bare repositories that a process keeps under LARDER_DATA for clone, fetch and push; the longest unused go first and are made again when asked for.',
    ),
  LARDER_GIT_PROCESSES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe('Most fetches and pushes that one process serves at a time; others wait, then get 503.'),
  LARDER_PUSH_BYTES: z.coerce
    .number()
    .int()
    .min(1_000_000)
    .default(2_000_000_000)
    .describe('Largest pack that one git push may send; large files travel outside of it, by Git LFS.'),
  LARDER_REFLOG_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .default(30)
    .describe(
      'Days for which commits that a branch left behind (force push, squash, deletion) can be brought back; then garbage collection takes them.',
    ),
  LARDER_GC: flag('true').describe(
    'Collect garbage every night: what no branch, tag, pull request or reflog reaches, and stored bytes that no repository holds.',
  ),
  LARDER_GC_GRACE_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .default(72)
    .describe(
      'Nothing younger is garbage: an upload and the commit that it is for may take so long. Bytes wait another day (or this, if shorter) before they are deleted.',
    ),
  LARDER_GC_BRAKE_PERCENT: z.coerce
    .number()
    .min(0)
    .max(100)
    .default(30)
    .describe(
      'A run that would doom more than this share of the stored bytes or objects (and more than 1 GiB or 10,000 objects) stops and says so; an administrator can force it.',
    ),
  LARDER_GC_REPACK_PERCENT: z.coerce
    .number()
    .min(0)
    .max(90)
    .default(50)
    .describe(
      'Stored xorbs of which files use less than this share are copied into new ones without the rest; 0: never.',
    ),
  LARDER_SCRUB_BYTES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(0)
    .default(5_000_000)
    .describe(
      'Pace at which a worker reads all stored bytes again and again, to find what a disk has damaged; 0 means never. 5 MB/s are 430 GB a day.',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
});

export type Config = Readonly<z.infer<typeof configSchema>>;

/** The keys of the schema that are set and not empty: the environment first, then an `.env` file in the working directory. */
export function readEnvironment(
  env: NodeJS.ProcessEnv = process.env,
  envFile = '.env',
): Record<string, string> {
  const fromFile: Record<string, string> = {};
  let text = '';
  try {
    text = readFileSync(envFile, 'utf8');
  } catch {
    // no .env file: the environment is all there is
  }
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1]) fromFile[match[1]] = (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2');
  }
  const known: Record<string, string> = {};
  for (const key of Object.keys(configSchema.shape)) {
    const value = env[key] ?? fromFile[key];
    if (value !== undefined && value !== '') known[key] = value;
  }
  return known;
}

/** Reads the configuration once (see readEnvironment). Throws one Error that names every wrong key and what it should be. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env, envFile = '.env'): Config {
  const known = readEnvironment(env, envFile);
  const parsed = configSchema.safeParse(known);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((i) => `  ${i.path.join('.')}: ${i.message}`);
    throw new Error(`configuration is not valid:\n${lines.join('\n')}`);
  }
  return Object.freeze(parsed.data);
}

/** What programs that we did not write may see of our environment: no credentials, no database, no proxy. */
export function environmentForOthers(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'SystemRoot'];
  const entries = passed.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]]));
  return Object.fromEntries(entries) as NodeJS.ProcessEnv;
}
