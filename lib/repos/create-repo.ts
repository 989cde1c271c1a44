import { isUniqueViolation, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { validateName } from '#lib/identity/names.ts';
import { commitSignature } from './commit-signature.ts';
import { initialAttributes } from './git/attributes.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { insertRepo } from './insert-repo.ts';
import { landCommit, sealCommit } from './land-commit.ts';
import { type CommitSource, planCommit } from './plan-commit.ts';
import { requireCreate } from './require-create.ts';
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
  const namespace = await requireCreate(ctx, request.type, request.namespace);
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
