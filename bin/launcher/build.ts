import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { environmentWith } from './run.mjs';

/** All that `next build` reads. */
const INPUTS = [
  'app',
  'lib',
  'public',
  'next.config.js',
  'postcss.config.mjs',
  'tsconfig.json',
  'package-lock.json',
];
const STAMP = '.next/larder-built';

/** SHA-256 over names and contents of everything that the pages are built from. */
export function buildInputs(root: string = '.'): string {
  const hash = createHash('sha256').update(process.version.split('.')[0] ?? '');
  const visit = (path: string): void => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    for (const entry of readEntries(full)) {
      if (entry === '') hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
      else if (!/\.test\.tsx?$/.test(entry)) visit(join(path, entry));
    }
  };
  for (const input of INPUTS) visit(input);
  return hash.digest('hex');
}

/** Names in a folder, sorted; [''] for a file. */
function readEntries(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return [''];
    throw error;
  }
}

/** Whether the pages are built from the files as they are now. A build that was killed does not count. */
export function isBuilt(): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === buildInputs();
}

/**
 * Builds the pages unless they are up to date; returns whether it built. Only one process builds at a time.
 * Throws with the last of the compiler's output.
 */
export async function buildPages(report: (line: string) => void): Promise<boolean> {
  if (isBuilt()) return false;
  return withLock('.runtime/build.lock', async () => {
    if (isBuilt()) return false;
    report('Building the pages (about a minute)');
    rmSync(STAMP, { force: true });
    const inputs = buildInputs();
    const { code, output } = await nextBuild();
    if (code !== 0 || !existsSync('.next/BUILD_ID'))
      throw new Error(`next build failed:\n${output.split('\n').slice(-40).join('\n')}`);
    writeFileSync(STAMP, inputs); // of before the build: an edit meanwhile means another build
    return true;
  });
}

function nextBuild(): Promise<{ code: number | null; output: string }> {
  const args = ['--import', './bin/launcher/tether.mjs', 'node_modules/next/dist/bin/next', 'build'];
  const child = spawn(process.execPath, args, {
    env: { ...environmentWith(process.execPath), NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
