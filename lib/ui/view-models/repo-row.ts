import type { ListedRepo } from '#lib/catalog/list-repos.ts';
import { repoAddress } from '../addresses.ts';
import { formatParameters } from '../format.ts';

/** One line of a list of repos. */
export interface RepoRow {
  readonly href: string;
  readonly namespace: string;
  readonly name: string;
  readonly isPrivate: boolean;
  /** Short facts in the field's words: task, parameters, formats, licence. */
  readonly facts: readonly string[];
  readonly updatedAt: Date;
  readonly downloads: number;
}

/** What a list shows of a repo. */
export function repoRow({ repo, facts }: ListedRepo): RepoRow {
  return {
    href: repoAddress(repo),
    namespace: repo.namespace,
    name: repo.name,
    isPrivate: repo.visibility === 'private',
    facts: [
      facts?.pipelineTag?.replaceAll('-', ' '),
      facts?.parameters ? formatParameters(facts.parameters) : null,
      ...(facts?.formats ?? []).slice(0, 3),
      facts?.license,
    ].filter((fact): fact is string => Boolean(fact)),
    updatedAt: repo.updatedAt,
    downloads: repo.downloads,
  };
}
