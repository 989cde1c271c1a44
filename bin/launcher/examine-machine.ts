import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#lib/base/config.ts';
import { isBuilt } from './build.ts';
import type { Finding } from './doctor.ts';
import { isInstalled } from './install.mjs';
import { leftovers } from './leftovers.ts';
import { holderOf } from './lock.mjs';
import type { Options } from './options.ts';
import { portTrouble } from './port.ts';

const GIB = 1024 ** 3;

/** Node, packages, configuration, data folder, processes, port, engine: all that needs no database. */
export async function examineMachine(options: Options, report: (finding: Finding) => void): Promise<void> {
  report({ subject: 'node', state: 'ok', text: `${process.version} (${process.execPath})` });
  report(
    isInstalled()
      ? { subject: 'packages', state: 'ok', text: 'as in package-lock.json' }
      : {
          subject: 'packages',
          state: 'broken',
          text: 'not those of package-lock.json',
          mend: 'npm start installs them',
        },
  );
  report(
    isBuilt()
      ? { subject: 'pages', state: 'ok', text: 'built from the present sources' }
      : {
          subject: 'pages',
          state: 'note',
          text: 'not built from the present sources',
          mend: 'npm start builds them',
        },
  );
  report(git());
  report(configuration());
  report(dataFolder(options));
  report(disk(options));
  report(await hub(options));
  report(engine());
}

function configuration(): Finding {
  try {
    loadConfig({ DATABASE_URL: 'postgresql://unset', ...process.env });
    return { subject: 'settings', state: 'ok', text: 'valid' };
  } catch (error) {
    const text = (error as Error).message.replace(/\s*\n\s*/g, '; ');
    return {
      subject: 'settings',
      state: 'broken',
      text,
      mend: 'correct the environment or .env, see .env.example',
    };
  }
}

function dataFolder({ dataDir }: Options): Finding {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    const password = join(dataDir, 'postgres', 'password');
    if (existsSync(password)) accessSync(password, constants.R_OK);
    return { subject: 'data', state: 'ok', text: dataDir };
  } catch (error) {
    return {
      subject: 'data',
      state: 'broken',
      text: (error as Error).message,
      mend: 'run as the user who owns it, or chown it, or give another folder with --data',
    };
  }
}

function disk({ dataDir }: Options): Finding {
  const nearest = existsSync(dataDir) ? dataDir : '.';
  const { bavail, bsize } = statfsSync(nearest);
  const free = (bavail * bsize) / GIB;
  const text = `${free.toFixed(1)} GiB free`;
  if (free < 1) return { subject: 'disk', state: 'broken', text, mend: 'make room: uploads will be refused' };
  if (free < 10) return { subject: 'disk', state: 'note', text, mend: 'little for models' };
  return { subject: 'disk', state: 'ok', text };
}

async function hub({ dataDir, host, port }: Options): Promise<Finding> {
  const holder = holderOf(join(dataDir, 'run', 'launcher.lock'));
  if (holder !== null) return running(holder, port);
  const left = leftovers(join(dataDir, 'run', 'children.json'));
  if (left.length > 0)
    return {
      subject: 'processes',
      state: 'broken',
      text: `left over from a killed hub: ${left.join(', ')}`,
      mend: 'npm start ends them first',
    };
  const trouble = await portTrouble(host, port);
  if (trouble) return { subject: 'port', state: 'broken', text: trouble.split(': ')[0] ?? '', mend: trouble };
  return { subject: 'port', state: 'ok', text: `${port} is free; the hub does not run` };
}

async function running(pid: number, port: number): Promise<Finding> {
  const url = `http://127.0.0.1:${port}/healthz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch((error: Error) => error);
  if (answer instanceof Response && answer.status === 200)
    return { subject: 'hub', state: 'ok', text: `runs (process ${pid}) and is healthy` };
  const text = answer instanceof Response ? `answers ${answer.status}` : 'does not answer';
  return {
    subject: 'hub',
    state: 'broken',
    text: `process ${pid} runs, but ${url} ${text}`,
    mend: 'look at logs/server.log in the data folder; is --port the one it was started with?',
  };
}

/** In a process of its own: what does not fit the machine may abort instead of throwing. */
function engine(): Finding {
  const code = `import('node-llama-cpp').then((m) => m.getLlama({ gpu: false, build: 'never', logLevel: 'error' })).then(() => process.exit(0))`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8', timeout: 60_000 });
  if (status === 0) return { subject: 'engine', state: 'ok', text: 'llama.cpp loads' };
  const text = stderr.trim().split('\n').at(-1) ?? `ended with ${status}`;
  return {
    subject: 'engine',
    state: 'broken',
    text: `llama.cpp does not load: ${text}`,
    mend: 'remove node_modules and run npm start; the rest of the hub works without it',
  };
}

/** The git program serves clone, fetch and push; from 2.36 it answers several questions in one process. */
function git(): Finding {
  const { stdout } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  const [, version, major, minor] = /version ((\d+)\.(\d+)\S*)/.exec(stdout ?? '') ?? [];
  if (version !== undefined && Number(major) * 1000 + Number(minor) >= 2036)
    return { subject: 'git', state: 'ok', text: version };
  return {
    subject: 'git',
    state: 'note',
    text: version === undefined ? 'not in the PATH' : `${version} is older than 2.36`,
    mend: 'install git 2.36 or newer for clone, fetch and push to work; everything else works without',
  };
}
