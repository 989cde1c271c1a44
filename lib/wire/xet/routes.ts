import type { Route } from '../route.ts';
import { downloadRoutes } from './download-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { uploadRoutes } from './upload-routes.ts';

/** Everything that speaks Xet: tokens on the hub side, the content-addressed store under `/xet/<domain>-<epoch>`. */
export const routes: readonly Route[] = [...tokenRoutes, ...downloadRoutes, ...uploadRoutes];
