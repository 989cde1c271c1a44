import type { Config } from '#lib/base/config.ts';
import type { Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';

/**
 * Inside the transaction that wants one more endpoint to run, after its change: throws forbidden, which undoes it,
 * when the namespace then has more running ones than this hub allows. Two changes at once may exceed it by one.
 */
export async function refuseTooMany(tx: Tx, config: Config, namespaceId: string): Promise<void> {
  const most = config.LARDER_ENDPOINTS_PER_NAMESPACE;
  const { rows } = await tx.query<{ running: number }>(
    `SELECT count(*) AS running FROM endpoint WHERE namespace_id = $1 AND desired = 'running'`,
    [namespaceId],
  );
  if ((rows[0]?.running ?? 0) > most)
    throw hubError(
      'forbidden',
      `This namespace runs ${most} endpoints, as many as this hub allows: stop one first.`,
    );
}
