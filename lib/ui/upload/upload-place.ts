import type { RepoRef } from '#lib/repos/types.ts';

/** Where an upload goes and who sends it. */
export interface UploadPlace {
  readonly repo: RepoRef;
  /** Short name of the branch. */
  readonly branch: string;
  /** From the root of the repo, without slashes around it; '' for the root. */
  readonly folder: string;
  /** False: the files can only be proposed as a pull request. */
  readonly mayWrite: boolean;
  readonly user: string;
}

/** Name of a place's queue in this browser. Another user of the same browser has another one. */
export function queueKey({ user, repo, branch, folder }: UploadPlace): string {
  return JSON.stringify([user, repo.type, repo.namespace, repo.name, branch, folder]);
}

/** Where a chosen file will lie; with `isFlat` the name of the chosen folder is left out. */
export function pathOf(folder: string, source: string, isFlat: boolean): string {
  const slash = source.indexOf('/');
  const rest = isFlat && slash >= 0 ? source.slice(slash + 1) : source;
  return folder === '' ? rest : `${folder}/${rest}`;
}

/** Name of the one folder that all of these files were chosen with; null when they were not. */
export function commonTop(sources: Iterable<string>): string | null {
  let top: string | null = null;
  for (const source of sources) {
    const slash = source.indexOf('/');
    if (slash < 0 || (top !== null && source.slice(0, slash) !== top)) return null;
    top = source.slice(0, slash);
  }
  return top;
}
