import { type Tx, transaction } from '#lib/base/db.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { EndpointRecord } from './db.ts';
import { addStateEvent, notifyChange } from './events.ts';
import { refuseTooMany } from './refuse-too-many.ts';
import type { EndpointState } from './types.ts';

/** One change of what should be: the statement that makes it, and what is told of it. */
export interface DesiredChange {
  /** `endpoint.stop` and the like. */
  readonly action: string;
  /** UPDATE … WHERE id = $1 AND <it is not so already>: no row changed means nothing to do. */
  readonly sql: string;
  readonly state: EndpointState | null;
  readonly message: (who: string) => string;
}

/**
 * Changes what should be, with its event, audit row and wake-up in one transaction. Repeating it, also at the
 * same time, has one effect. The caller has checked the right to. Throws forbidden when it would run one too many.
 */
export async function setDesired(ctx: Ctx, endpoint: EndpointRecord, change: DesiredChange): Promise<void> {
  const who = ctx.principal.kind === 'user' ? ctx.principal.name : 'the hub';
  await transaction(ctx.db, async (tx: Tx) => {
    const { rowCount } = await tx.query(change.sql, [endpoint.id]);
    if (rowCount === 0) return;
    await addStateEvent(tx, endpoint.id, change.state, change.message(who));
    await audit(tx, ctx, {
      action: change.action,
      subject: `endpoint:${endpoint.namespace}/${endpoint.name}`,
    });
    if (change.state === 'pending') await refuseTooMany(tx, ctx.config, endpoint.namespaceId);
    await notifyChange(tx, endpoint.id, { wanted: true });
  });
}
