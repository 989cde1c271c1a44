import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { withLock } from './lock.mjs';
import { environmentWith, npm } from './run.mjs';

const MARK = '.runtime/installing';
const INSTALLED = 'node_modules/.larder-installed';
const GENERATED = 'node_modules/.larder-generated';

const say = (text) => process.stderr.write(`${text}\n`);

/** Whether node_modules and the generated database client are those of this version of the project. */
export function isInstalled() {
  return stampOf(INSTALLED) === wantedInstall() && stampOf(GENERATED) === wantedClient();
}

/**
 * Brings node_modules and the generated Prisma client in line with the lock file and the schema; does nothing
 * when they are. A kill at any moment is repaired by the next call: an install that was cut off may have left
 * half-unpacked packages that npm would take for whole, so it begins anew.
 */
export async function installDependencies(node) {
  if (isInstalled()) return;
  await withLock('.runtime/install.lock', () => {
    if (stampOf(INSTALLED) !== wantedInstall()) install(node);
    if (stampOf(GENERATED) !== wantedClient()) generate(node);
  });
}

function install(node) {
  say(
    existsSync('node_modules') ? 'Updating the installed packages' : 'Installing packages (about a minute)',
  );
  if (existsSync(MARK)) rmSync('node_modules', { recursive: true, force: true });
  mkdirSync('.runtime', { recursive: true });
  writeFileSync(MARK, '');
  rmSync(INSTALLED, { force: true });
  // Not "npm ci": it refuses a lock file that was made on another platform.
  // Development packages too, whatever NODE_ENV says: they build the pages and the client.
  const { status, output } = npm(node, ['install', '--no-save', '--no-audit', '--no-fund', '--include=dev']);
  if (status !== 0) throw new Error(`npm install failed:\n${output}`);
  writeFileSync(INSTALLED, wantedInstall());
  rmSync(MARK);
}

function generate(node) {
  say('Generating the database client');
  const { status, stdout, stderr } = spawnSync(node, ['node_modules/prisma/build/index.js', 'generate'], {
    encoding: 'utf8',
    env: environmentWith(node),
  });
  if (status !== 0) throw new Error(`prisma generate failed:\n${stdout}${stderr}`);
  writeFileSync(GENERATED, wantedClient());
}

function wantedInstall() {
  return digestOf('package-lock.json', `${process.platform} ${process.arch}`);
}

function wantedClient() {
  return digestOf(
    'prisma/schema.prisma',
    'package-lock.json',
    String(existsSync('lib/base/prisma/client.ts')),
  );
}

function digestOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(existsSync(part) ? readFileSync(part) : part).update('\0');
  return hash.digest('hex');
}

function stampOf(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
