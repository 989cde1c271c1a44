import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Which of the two installed clients: the current one, or huggingface_hub 0.36. */
export type Client = 'current' | 'old';

export interface PythonOptions {
  /** HF_ENDPOINT; nothing else of the client's configuration is set but what `env` adds. */
  endpoint: string;
  token?: string | undefined;
  /** HF_HOME: caches and login of this run. */
  home: string;
  client?: Client;
  env?: Record<string, string>;
  cwd?: string;
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** The interpreter of a client's virtual environment. Throws, saying how to get it, when it is not there. */
export function pythonOf(client: Client = 'current'): string {
  const python = resolve(
    (client === 'current' ? process.env.LARDER_TEST_PYTHON : process.env.LARDER_TEST_PYTHON_OLD) ??
      `.runtime/${client === 'current' ? 'venv' : 'venv-old'}/bin/python`,
  );
  if (!existsSync(python))
    throw new Error(
      `${python} is missing: npm test makes it from tests/clients/requirements${client === 'old' ? '-old' : ''}.txt`,
    );
  return python;
}

function run(command: string, args: readonly string[], options: PythonOptions): Promise<Run> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: options.home,
    HF_HOME: options.home,
    HF_ENDPOINT: options.endpoint,
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
    ...(options.token === undefined ? {} : { HF_TOKEN: options.token }),
    ...options.env,
  } as unknown as NodeJS.ProcessEnv;
  return new Promise((done, fail) => {
    const child = spawn(command, args, { env, cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', fail);
    child.on('close', (code) => done({ code: code ?? -1, stdout, stderr }));
  });
}

/** Runs the stock `hf` command. */
export function hf(args: readonly string[], options: PythonOptions): Promise<Run> {
  return run(join(dirname(pythonOf(options.client)), 'hf'), args, options);
}

/** Runs `hf` and throws with all it said when it fails. */
export async function hfOk(args: readonly string[], options: PythonOptions): Promise<Run> {
  const result = await hf(args, options);
  if (result.code !== 0)
    throw new Error(`hf ${args.join(' ')} ended with ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result;
}

/** Runs a Python program that prints one JSON value as its last line, and returns that value. */
export async function python<T>(program: string, options: PythonOptions): Promise<T> {
  const result = await run(pythonOf(options.client), ['-c', program], options);
  if (result.code !== 0)
    throw new Error(`python ended with ${result.code}\n${result.stdout}\n${result.stderr}`);
  return JSON.parse(result.stdout.trim().split('\n').at(-1) ?? 'null') as T;
}

/** Folder of an installed Python package. */
export async function packageFolder(name: string): Promise<string> {
  const { stdout } = await run(
    pythonOf(),
    [
      '-c',
      `import importlib.util as u; print(u.find_spec(${JSON.stringify(name)}).submodule_search_locations[0])`,
    ],
    { endpoint: '', home: '/nonexistent' },
  );
  return stdout.trim();
}
