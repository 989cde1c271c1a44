import { account } from './account.ts';
import { catalog } from './catalog.ts';
import { diff } from './diff.ts';
import { edit } from './edit.ts';
import { endpoint } from './endpoint.ts';
import { errors } from './errors.ts';
import { frame } from './frame.ts';
import { history } from './history.ts';
import { home } from './home.ts';
import { pulls } from './pulls.ts';
import { reclaim } from './reclaim.ts';
import { repo } from './repo.ts';
import { storage } from './storage.ts';
import { upload } from './upload.ts';
import { words } from './words.ts';

/** Every text of the pages, in English: the source of all keys. */
export const en = {
  account,
  catalog,
  diff,
  edit,
  endpoint,
  errors,
  frame,
  history,
  home,
  pulls,
  reclaim,
  repo,
  storage,
  upload,
  words,
} as const;
