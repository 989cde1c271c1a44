import { routes as health } from './health.ts';
import type { Route } from './route.ts';

/** Every route of the wire; the first pattern that fits wins. */
export const routes: readonly Route[] = [...health];
