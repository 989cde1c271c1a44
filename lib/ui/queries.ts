import { listRepos } from '#lib/catalog/list-repos.ts';
import { getEndpoint } from '#lib/endpoints/get-endpoint.ts';
import { listEndpoints } from '#lib/endpoints/list-endpoints.ts';
import { listEvents } from '#lib/endpoints/list-events.ts';
import { findProfile } from '#lib/identity/find-profile.ts';
import { listTokens } from '#lib/identity/list-tokens.ts';
import { readSession } from '#lib/identity/read-session.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { readReclaimable } from '#lib/repos/reclaim/read-reclaimable.ts';
import { readUsage } from '#lib/repos/storage/read-usage.ts';
import { summarizeStorage } from '#lib/repos/storage/summarize-storage.ts';
import { render } from './markdown/render-pool.ts';
import { branchesPage } from './view-models/branches-page.ts';
import { readCard } from './view-models/card.ts';
import { commitPage, comparePage, showComparison } from './view-models/compare-page.ts';
import { discussionPage } from './view-models/discussion-page.ts';
import { discussionsPage } from './view-models/discussions-page.ts';
import { editableFile } from './view-models/editable-file.ts';
import { filePage } from './view-models/file-page.ts';
import { folderPage } from './view-models/folder-page.ts';
import { historyPage } from './view-models/history-page.ts';
import { newPullPage } from './view-models/new-pull-page.ts';
import { placeInRepo } from './view-models/place-in-repo.ts';
import { reflogPage } from './view-models/reflog-page.ts';
import { repoOverview } from './view-models/repo-overview.ts';
import { repoSettingsPage } from './view-models/repo-settings-page.ts';
import { storagePage } from './view-models/storage-page.ts';

/**
 * Everything the pages ask of the hub. server.ts loads this module and hands it over (hub.ts), so that domain code
 * runs once in the process and outside of Next's bundle: its caches, pools and worker threads stay single, and the
 * bundler never follows an import into them. Pages and components import domain modules as types only.
 */
export const queries = {
  editableFile,
  commitPage,
  discussionPage,
  discussionsPage,
  comparePage,
  branchesPage,
  filePage,
  findProfile,
  folderPage,
  getEndpoint,
  historyPage,
  listEndpoints,
  newPullPage,
  listEvents,
  listRepos,
  listTokens,
  listTree,
  placeInRepo,
  readCard,
  readReclaimable,
  readSession,
  readUsage,
  storagePage,
  summarizeStorage,
  render,
  reflogPage,
  repoOverview,
  showComparison,
  repoSettingsPage,
};

export type Queries = typeof queries;
