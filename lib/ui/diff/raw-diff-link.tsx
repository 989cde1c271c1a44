import { FileDiff } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { comparisonApi } from '../addresses.ts';
import { ButtonAnchor } from '../kit/button.tsx';
import { translator } from '../translator.ts';

/** Leads to the whole difference as git writes it. */
export async function RawDiffLink({ repo, range }: { repo: RepoRef; range: string }) {
  const t = await translator();
  return (
    <ButtonAnchor size="sm" href={`${comparisonApi(repo, 'compare', range)}?raw=true`}>
      <FileDiff />
      {t('diff.raw')}
    </ButtonAnchor>
  );
}
