import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { environmentForOthers } from '#lib/base/config.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';

/** This server has no git binary: everything but clone, fetch and push works without. */
export function gitIsMissing(cause?: unknown): HubError {
  return hubError(
    'not_implemented',
    'This server has no git program: its administrator has to install git for clone, fetch and push to work',
    { cause },
  );
}

let isThere = false;

async function isInPath(): Promise<boolean> {
  for (const folder of (environmentForOthers().PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, 'git'), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/**
 * Throws not_implemented when no git program is in the PATH of this server. Asked before refs are shown: git tells
 * people why a server refuses that first request, of later ones it tells them the status alone. What was found once
 * is not looked for again.
 */
export async function requireGit(): Promise<void> {
  isThere ||= await isInPath();
  if (!isThere) throw gitIsMissing();
}
