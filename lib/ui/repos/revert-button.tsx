import { Undo2 } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress } from '../addresses.ts';
import { translator } from '../translator.ts';
import { ConfirmCall } from './confirm-call.tsx';

/** Takes a commit back with a new one on `branch`, after asking. Beside text it is an icon alone. */
export async function RevertButton(props: {
  repo: RepoRef;
  oid: string;
  branch: string;
  iconOnly?: boolean;
  /** Where to go when it is done; otherwise the page is shown anew. */
  goTo?: string;
}) {
  const t = await translator();
  const { repo, oid, branch, iconOnly = false, goTo } = props;
  const short = oid.slice(0, 7);
  return (
    <ConfirmCall
      call={{
        method: 'POST',
        path: apiAddress(repo, `revert/${encodeURIComponent(branch)}`),
        body: { commit: oid },
      }}
      label={iconOnly ? t('history.revertCommit', { oid: short }) : t('history.revert')}
      icon={<Undo2 />}
      iconOnly={iconOnly}
      look={iconOnly ? 'quiet' : 'plain'}
      title={t('history.revertTitle')}
      text={t('history.revertText', { branch, oid: short })}
      confirm={t('history.revert')}
      done={t('history.reverted')}
      {...(goTo !== undefined && { goTo })}
    />
  );
}
