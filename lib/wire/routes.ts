import { routes as gateway } from './gateway/routes.ts';
import { routes as health } from './health.ts';
import { routes as hf } from './hf/routes.ts';
import { routes as hub } from './hub/routes.ts';
import { routes as lfs } from './lfs/routes.ts';
import type { Route } from './route.ts';
import { routes as xet } from './xet/routes.ts';

/** Every route of the wire; the first pattern that fits wins. */
export const routes: readonly Route[] = [...health, ...lfs, ...xet, ...hub, ...gateway, ...hf];
