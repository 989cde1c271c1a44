import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { JsonObject } from '#lib/base/json.ts';
import type { Repo } from '#lib/repos/types.ts';
import type { GgufFacts, RepoFacts, SafetensorsFacts } from './types.ts';

export interface FactsRow {
  commit_oid: Buffer;
  card: JsonObject;
  pipeline_tag: string | null;
  library_name: string | null;
  license: string | null;
  languages: string[] | null;
  tags: string[] | null;
  base_models: string[] | null;
  config: JsonObject | null;
  safetensors: SafetensorsFacts | null;
  gguf: GgufFacts | null;
  parameters: number | null;
  formats: string[] | null;
  used_storage: number;
}

/** Columns that make RepoFacts; the query must alias repo_facts as f. */
export const FACTS_COLUMNS = `f.commit_oid, f.card, f.pipeline_tag, f.library_name, f.license, f.languages, f.tags,
  f.base_models, f.config, f.safetensors, f.gguf, f.parameters, f.formats, f.used_storage`;

/** A row of FACTS_COLUMNS as RepoFacts. */
export function factsOfRow(row: FactsRow): RepoFacts {
  return {
    commitOid: hexOf<Oid>(row.commit_oid),
    card: row.card,
    pipelineTag: row.pipeline_tag,
    libraryName: row.library_name,
    license: row.license,
    languages: row.languages ?? [],
    tags: row.tags ?? [],
    baseModels: row.base_models ?? [],
    config: row.config,
    safetensors: row.safetensors,
    gguf: row.gguf,
    parameters: row.parameters,
    formats: row.formats ?? [],
    usedStorageBytes: row.used_storage,
  };
}

/** Head of the default branch and the stored facts, each null when absent. Plan: ref_pkey and repo_facts_pkey, one probe each. */
export async function selectHeadAndFacts(
  db: Queryable,
  repo: Pick<Repo, 'id' | 'defaultBranch'>,
): Promise<{ headOid: Oid | null; facts: RepoFacts | null }> {
  const { rows } = await db.query<{ head: Buffer | null } & (FactsRow | { commit_oid: null })>({
    name: 'select-head-and-facts',
    text: `SELECT h.oid AS head, ${FACTS_COLUMNS}
           FROM (SELECT $1::bigint AS repo_id) w
           LEFT JOIN ref h ON h.repo_id = w.repo_id AND h.name = $2
           LEFT JOIN repo_facts f ON f.repo_id = w.repo_id`,
    values: [repo.id, `refs/heads/${repo.defaultBranch}`],
  });
  const row = rows[0];
  return {
    headOid: row?.head ? hexOf<Oid>(row.head) : null,
    facts: row && row.commit_oid !== null ? factsOfRow(row) : null,
  };
}

/** Replaces the stored facts. A repo deleted meanwhile keeps its row: nothing lists it. */
export async function upsertFacts(db: Queryable, repoId: RepoId, facts: RepoFacts): Promise<void> {
  await db.query(
    `INSERT INTO repo_facts (repo_id, commit_oid, card, pipeline_tag, library_name, license, languages, tags,
       base_models, config, safetensors, gguf, parameters, formats, used_storage, computed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now())
     ON CONFLICT (repo_id) DO UPDATE SET commit_oid = EXCLUDED.commit_oid, card = EXCLUDED.card,
       pipeline_tag = EXCLUDED.pipeline_tag, library_name = EXCLUDED.library_name, license = EXCLUDED.license,
       languages = EXCLUDED.languages, tags = EXCLUDED.tags, base_models = EXCLUDED.base_models,
       config = EXCLUDED.config, safetensors = EXCLUDED.safetensors, gguf = EXCLUDED.gguf,
       parameters = EXCLUDED.parameters, formats = EXCLUDED.formats, used_storage = EXCLUDED.used_storage,
       computed_at = EXCLUDED.computed_at`,
    [
      repoId,
      bytesOf(facts.commitOid),
      facts.card,
      facts.pipelineTag,
      facts.libraryName,
      facts.license,
      facts.languages,
      facts.tags,
      facts.baseModels,
      facts.config,
      facts.safetensors,
      facts.gguf,
      facts.parameters,
      facts.formats,
      facts.usedStorageBytes,
    ],
  );
}

/** Bytes of all large files this repo holds, whatever revision they belong to. Plan: range of repo_file_pkey. */
export async function selectUsedStorage(db: Queryable, repoId: RepoId): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>(
    'SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes FROM repo_file WHERE repo_id = $1',
    [repoId],
  );
  return rows[0]?.bytes ?? 0;
}
