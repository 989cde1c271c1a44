import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Something the tests call that npm does not carry. */
interface Tool {
  name: string;
  /** Debian's packages that bring it. */
  packages: string[];
  isPresent: () => boolean;
}

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Of huggingface_hub and transformers. */
const LEAST_PYTHON = '(3, 10)';

const TOOLS: Tool[] = [
  { name: 'git', packages: ['git'], isPresent: () => runs('git', '--version') },
  { name: 'git-lfs', packages: ['git-lfs'], isPresent: () => runs('git', 'lfs', 'version') },
  { name: 'curl', packages: ['curl'], isPresent: () => runs('curl', '--version') },
  {
    name: 'wget, aria2, zip, unzip and bsdtar (readers of downloads)',
    packages: ['wget', 'aria2', 'zip', 'unzip', 'libarchive-tools'],
    isPresent: () =>
      runs('wget', '--version') &&
      runs('aria2c', '--version') &&
      runs('zip', '-v') &&
      runs('unzip', '-v') &&
      runs('bsdtar', '--version'),
  },
  {
    name: 'Chromium',
    packages: ['chromium', 'fonts-noto-cjk'],
    isPresent: () => chromium() !== null && existsSync('/usr/share/fonts/opentype/noto'),
  },
  {
    name: 'Python 3.10 or newer with venv',
    packages: ['python3', 'python3-venv'],
    isPresent: () =>
      runs('python3', '-c', `import sys, venv, ensurepip; sys.exit(sys.version_info < ${LEAST_PYTHON})`),
  },
  {
    name: 'Ceph RGW (the S3 server of the storage tests)',
    packages: ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'],
    isPresent: () => ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph'].every((name) => runs(name, '--version')),
  },
];

/** The browser binary for the tests, or null. */
export function chromium(): string | null {
  return CHROMIUM.find((path) => existsSync(path)) ?? null;
}

/**
 * Installs what is missing of the tests' system tools, through apt as root or through sudo when that asks for no
 * password. Returns one line for each tool that is still missing, with the way to get it.
 */
export function provideSystemPackages(say: (line: string) => void): string[] {
  const missing = TOOLS.filter((tool) => !tool.isPresent());
  if (missing.length === 0) return [];
  const packages = missing.flatMap((tool) => tool.packages);
  const apt = aptCommand();
  if (apt) {
    say(`Installing through apt: ${packages.join(' ')}`);
    installWithApt(apt, packages);
  }
  return missing
    .filter((tool) => !tool.isPresent())
    .map((tool) => `${tool.name} is missing: apt-get install ${tool.packages.join(' ')}`);
}

function aptCommand(): string[] | null {
  if (!runs('apt-get', '--version')) return null;
  if (process.getuid?.() === 0) return ['apt-get'];
  return runs('sudo', '-n', 'true') ? ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'] : null;
}

/** Package lists may be absent or old, and mirrors hiccup: the second and third try refresh the lists first. */
function installWithApt([command = '', ...prefix]: string[], packages: string[]): void {
  const apt = (...args: string[]) =>
    spawnSync(command, [...prefix, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  const install = () => apt('install', '-y', '-qq', '--no-install-recommends', ...packages);
  for (let attempt = 1; attempt <= 3; attempt++) {
    if (install()) return;
    apt('update', '-qq');
  }
}
