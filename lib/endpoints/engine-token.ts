import { createHmac } from 'node:crypto';
import type { App } from '#lib/identity/context.ts';
import { keyFor } from '#lib/identity/signing.ts';

/**
 * What callers must show to the engine of this replica. Every process of the hub can compute it, nobody else can;
 * another endpoint's engine that got the same port later refuses it.
 */
export function engineToken(app: Pick<App, 'rootKey'>, replicaId: string): string {
  return createHmac('sha256', keyFor(app, 'engine')).update(replicaId).digest('hex');
}
