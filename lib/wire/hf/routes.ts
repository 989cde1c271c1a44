import type { Route } from '../route.ts';
import { archive } from './archive.ts';
import { branchRoutes } from './branches.ts';
import { commit } from './commit.ts';
import { compare } from './compare.ts';
import { discussionRoutes } from './discussions.ts';
import { info } from './info.ts';
import { lfsFileRoutes } from './lfs-files.ts';
import { listRoutes } from './list.ts';
import { manageRepos } from './manage-repos.ts';
import { pathsInfo } from './paths-info.ts';
import { preupload } from './preupload.ts';
import { refRoutes } from './refs.ts';
import { lifeRoutes } from './repo-life.ts';
import { legacyIds, raw, resolve } from './resolve.ts';
import { smallRoutes, unknownBelowRepo } from './small-routes.ts';
import { tree } from './tree.ts';
import { whoami } from './whoami.ts';

/** The Hub's REST API and file addresses. The hottest stands first; the widest patterns last. */
export const routes: Route[] = [
  resolve,
  raw,
  archive,
  whoami,
  ...manageRepos,
  ...listRoutes,
  tree,
  pathsInfo,
  preupload,
  commit,
  compare,
  ...refRoutes,
  ...branchRoutes,
  ...lifeRoutes,
  ...lfsFileRoutes,
  ...discussionRoutes,
  ...smallRoutes,
  info,
  legacyIds,
  unknownBelowRepo,
];
