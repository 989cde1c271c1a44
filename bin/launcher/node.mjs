import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withLock } from './lock.mjs';
import { npm } from './run.mjs';

/** The Node that the project is made and tested with. */
const WANTED = '24.21.0';
/** Older ones cannot run TypeScript files. */
const LEAST = [22, 18];

const say = (text) => process.stderr.write(`${text}\n`);

/** Whether a version such as "v22.18.0" is new enough. */
function isFit(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}

/**
 * Path of a Node that can run Larder: the one that runs now if it is of the wanted major version, else one in
 * .runtime, which the package registry provides. Where that fails, the present one will do if it is fit.
 */
export async function fitNode() {
  const major = (version) => Number(version.replace(/^v/, '').split('.')[0]);
  if (major(process.version) >= major(WANTED)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const binary = resolve('.runtime', 'node_modules', name, 'bin', 'node');
  if (versionOf(binary) === `v${WANTED}`) return binary;
  try {
    await withLock('.runtime/node.lock', () => {
      if (versionOf(binary) !== `v${WANTED}`) install(name, binary);
    });
    return binary;
  } catch (error) {
    if (!isFit(process.version)) throw error;
    say(`${error.message}; using Node ${process.version}`);
    return process.execPath;
  }
}

function versionOf(binary) {
  if (!existsSync(binary)) return null;
  const { stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return (stdout ?? '').trim();
}

function install(name, binary) {
  say(`Node ${process.version} is too old; fetching Node ${WANTED} into .runtime`);
  mkdirSync('.runtime', { recursive: true });
  rmSync(join('.runtime', 'node_modules', name), { recursive: true, force: true }); // left by a killed attempt
  const flags = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefix',
    '.runtime',
  ];
  const { status, output } = npm(process.execPath, [...flags, `${name}@${WANTED}`]);
  if (status === 0 && versionOf(binary) === `v${WANTED}`) return;
  throw new Error(
    `cannot fetch Node ${WANTED} (package ${name}) from the npm registry: install Node ${LEAST.join('.')} or newer yourself\n${output}`,
  );
}
