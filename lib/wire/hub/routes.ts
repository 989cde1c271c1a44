import type { Route } from '../route.ts';
import { accountRoutes } from './account.ts';
import { branchRoutes } from './branches.ts';
import { diffRoutes } from './diffs.ts';
import { endpointRoutes } from './endpoints.ts';
import { historyRoutes } from './history.ts';
import { orgRoutes } from './orgs.ts';
import { reclaimRoutes } from './reclaim.ts';
import { storageRoutes } from './storage.ts';
import { tokenRoutes } from './tokens.ts';
import { uploadRoutes } from './uploads.ts';

/** The hub's own JSON API: what its pages call, and scripts may. */
export const routes: readonly Route[] = [
  ...accountRoutes,
  ...tokenRoutes,
  ...orgRoutes,
  ...endpointRoutes,
  ...diffRoutes,
  ...branchRoutes,
  ...historyRoutes,
  ...reclaimRoutes,
  ...uploadRoutes,
  ...storageRoutes,
];
