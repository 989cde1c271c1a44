import type { Route } from '../route.ts';
import { batchRoutes } from './batch.ts';
import { lockRoutes } from './locks.ts';
import { transferRoutes } from './transfers.ts';

/** git-lfs batch API and the transfers it points to (hf-api §4). */
export const routes: Route[] = [...batchRoutes, ...lockRoutes, ...transferRoutes];
