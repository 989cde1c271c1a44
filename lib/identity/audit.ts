import type { Queryable } from '#lib/base/db.ts';
import type { Ctx } from './context.ts';

/** What an audit event needs to know of its cause. */
export type Actor = Pick<Ctx, 'principal' | 'ip' | 'requestId'>;

export interface AuditEntry {
  /** `noun.verb`: repo.create, token.revoke, endpoint.stop. */
  readonly action: string;
  /** What it was done to: `model:ns/name`, `user:name`, `org:name`, `endpoint:ns/name`. */
  readonly subject: string;
  /** Facts for whoever reads the trail later. Never secrets. */
  readonly details?: Record<string, unknown>;
}

/** Appends an audit event inside the caller's transaction: it exists if and only if what it records does. */
export async function audit(tx: Queryable, actor: Actor, entry: AuditEntry): Promise<void> {
  const user = actor.principal.kind === 'user' ? actor.principal : null;
  await tx.query(
    `INSERT INTO audit_event (action, actor_id, token_id, ip, request_id, subject, details)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      entry.action,
      user?.id ?? null,
      user?.token?.id ?? null,
      actor.ip,
      actor.requestId,
      entry.subject,
      JSON.stringify(entry.details ?? {}),
    ],
  );
}
