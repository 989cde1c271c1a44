import type { Config } from '#lib/base/config.ts';
import { routes as gateway } from './gateway/routes.ts';
import { routes as git } from './git/routes.ts';
import { routes as health } from './health.ts';
import { routes as hf } from './hf/routes.ts';
import { routes as hub } from './hub/routes.ts';
import { routes as lfs } from './lfs/routes.ts';
import type { Route } from './route.ts';
import { routes as tus } from './tus/routes.ts';
import { routes as xet } from './xet/routes.ts';

/** Every route of the wire; the first pattern that fits wins. */
export const routes: readonly Route[] = [
  ...health,
  ...git,
  ...lfs,
  ...xet,
  ...tus,
  ...hub,
  ...gateway,
  ...hf,
];

/** The routes that a process of this role answers: a gateway has no doors but inference. */
export function routesOf(role: Config['LARDER_ROLE']): readonly Route[] {
  return role === 'gateway' ? [...health, ...gateway] : routes;
}
