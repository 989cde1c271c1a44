import { isUniqueViolation, type Queryable, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { newId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { validateName } from '#lib/identity/names.ts';
import { canChangeAnything, canCreateIn } from '#lib/identity/policy.ts';
import { commitSignature } from './commit-signature.ts';
import { REPO_COLUMNS, type RepoRow, repoOf } from './db.ts';
import { initialAttributes } from './git/attributes.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { landCommit, sealCommit } from './land-commit.ts';
import { type CommitSource, planCommit } from './plan-commit.ts';
import { stageOperations } from './stage-operations.ts';
import type { CommitOperation, Repo, RepoType, Visibility } from './types.ts';

export interface NewRepo {
  readonly type: RepoType;
  /** Name of a user or organization, any case. */
  readonly namespace: string;
  readonly name: string;
  /** Absent: what the organization sets as its default, else public. */
  readonly visibility?: Visibility | undefined;
  /** Becomes the front matter of a README.md. */
  readonly license?: string | undefined;
  /** More files of the first commit. */
  readonly files?: readonly { readonly path: string; readonly content: Buffer }[] | undefined;
}

interface NamespaceRow {
  id: string;
  name: string;
  default_private: boolean | null;
}

async function findNamespace(db: Queryable, name: string): Promise<NamespaceRow | undefined> {
  if (name.length > 200 || name.includes('\0')) return undefined;
  const { rows } = await db.query<NamespaceRow>(
    `SELECT n.id, n.name, o.default_private FROM namespace n LEFT JOIN org o ON o.id = n.id
     WHERE n.name_key = $1 AND n.deleted_at IS NULL`,
    [name.toLowerCase()],
  );
  return rows[0];
}

/** The namespace, if the caller may create repos in it. A missing one and a stranger's get the same answer. */
async function requireCreate(ctx: Ctx, request: NewRepo): Promise<NamespaceRow> {
  if (ctx.principal.kind === 'anonymous')
    throw hubError('unauthenticated', 'Sign in or send an access token to create a repository');
  if (!canChangeAnything(ctx.principal))
    throw hubError('forbidden', 'Forbidden: you must use a write token to create a repository.');
  const namespace = await findNamespace(ctx.db, request.namespace);
  if (namespace === undefined || !canCreateIn(ctx.principal, namespace.id))
    throw hubError(
      'forbidden',
      `You don't have the rights to create a ${request.type} under the namespace "${request.namespace}"`,
    );
  return namespace;
}

function firstFiles(request: NewRepo): CommitOperation[] {
  const files: CommitOperation[] = [
    { kind: 'file', path: '.gitattributes', content: Buffer.from(initialAttributes(request.type)) },
  ];
  if (request.license !== undefined) {
    if (!/^[\w.+-]{1,64}$/.test(request.license))
      throw hubError('invalid_input', 'license: not a licence identifier (letters, digits, ".", "-", "+")');
    const readme = `---\nlicense: ${request.license}\n---\n`;
    files.push({ kind: 'file', path: 'README.md', content: Buffer.from(readme) });
  }
  for (const file of request.files ?? []) files.push({ kind: 'file', ...file });
  return files;
}

async function insertRepo(tx: Queryable, ctx: Ctx, request: NewRepo, namespace: NamespaceRow): Promise<Repo> {
  const fallback: Visibility = namespace.default_private === true ? 'private' : 'public';
  const createdBy = ctx.principal.kind === 'user' ? ctx.principal.id : namespace.id;
  const { rows } = await tx.query<RepoRow>(
    `WITH r AS (
       INSERT INTO repo (public_id, type, namespace_id, name, name_key, visibility, created_by)
       VALUES ($1, $2, $3, $4, lower($4), $5, $6) RETURNING *)
     SELECT ${REPO_COLUMNS} FROM r JOIN namespace n ON n.id = r.namespace_id`,
    [
      newId(ctx.clock.now()),
      request.type,
      namespace.id,
      request.name,
      request.visibility ?? fallback,
      createdBy,
    ],
  );
  return repoOf(rows[0] as RepoRow);
}

/** The base of a first commit. */
const NOTHING: CommitSource = {
  readTrees: async () => new Map([[EMPTY_TREE_OID, { lines: [], byName: new Map() }]]),
  readBlob: async (oid) => Promise.reject(new Error(`a new repo has no blob ${oid}`)),
};

/**
 * Creates a repo with its first commit (`.gitattributes`, README.md when a licence is given, further files) on
 * `main`: all in one transaction. Of simultaneous requests for one name one wins. Throws unauthenticated,
 * forbidden, invalid_input (name, licence, files), conflict_exists. The name of a deleted repo may be used again
 * within its namespace; nothing of the old repo is reachable through the new one.
 */
export async function createRepo(ctx: Ctx, request: NewRepo): Promise<Repo> {
  const namespace = await requireCreate(ctx, request);
  validateName(request.name);
  const staged = await stageOperations(ctx, null, firstFiles(request));
  const plan = await planCommit(NOTHING, EMPTY_TREE_OID, staged.operations);
  try {
    return await transaction(ctx.db, async (tx) => {
      const repo = await insertRepo(tx, ctx, request, namespace);
      const by = commitSignature(ctx);
      const ref = `refs/heads/${repo.defaultBranch}`;
      const objects = [...staged.objects, ...plan.objects];
      const commit = {
        tree: plan.rootOid,
        parents: [],
        author: by,
        committer: by,
        message: 'initial commit',
      };
      const sealed = await sealCommit(commit);
      await landCommit(tx, ctx, { repo, ref, oldOid: null, commit, sealed, objects, reason: 'create' });
      return repo;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'repo_live_name'))
      throw hubError('conflict_exists', `You already created this ${request.type} repo`);
    throw error;
  }
}
