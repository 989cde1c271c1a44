import type { Ctx } from '#lib/identity/context.ts';
import { visibleRepos } from '#lib/repos/access.ts';
import type { RepoType } from '#lib/repos/types.ts';

export interface Tag {
  /** As `filter` takes it. */
  readonly id: string;
  readonly label: string;
  /** pipeline_tag, library, license, language, dataset, task_categories … or other. */
  readonly type: string;
}

const MAX_TAGS = 5000;
const PREFIXED =
  /^(license|dataset|arxiv|doi|region|base_model|task_categories|task_ids|size_categories|language|modality|format|library):(.+)$/;

/**
 * Every tag of the repos the caller may read, the most used first, each with the kind it has there. Plan: one scan
 * of the visible repos' facts.
 */
export async function listTags(ctx: Pick<Ctx, 'db' | 'principal'>, type: RepoType): Promise<Tag[]> {
  const visible = visibleRepos(ctx.principal, 'r', 2);
  const { rows } = await ctx.db.query<{ tag: string; kind: string | null }>(
    `SELECT t.tag, max(CASE WHEN t.tag = f.pipeline_tag THEN 'pipeline_tag'
                            WHEN t.tag = f.library_name OR t.tag = ANY(f.formats) THEN 'library'
                            WHEN t.tag = ANY(f.languages) THEN 'language' END) AS kind
     FROM repo r JOIN repo_facts f ON f.repo_id = r.id CROSS JOIN unnest(f.tags) AS t(tag)
     WHERE r.type = $1 AND ${visible.sql}
     GROUP BY t.tag ORDER BY count(*) DESC, t.tag LIMIT ${MAX_TAGS}`,
    [type, ...visible.values],
  );
  return rows.map(({ tag, kind }) => {
    const prefixed = PREFIXED.exec(tag);
    if (prefixed) return { id: tag, label: prefixed[2] as string, type: prefixed[1] as string };
    return { id: tag, label: tag, type: kind ?? 'other' };
  });
}
