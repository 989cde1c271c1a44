import { spawn, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';

/** The environment of everything that we start: `node` first in PATH, so that whatever says "node" gets it; we hold its tether. */
export function environmentWith(node) {
  const path = [dirname(node), resolve('node_modules', '.bin'), process.env.PATH].join(delimiter);
  return {
    ...process.env,
    PATH: path,
    NEXT_TELEMETRY_DISABLED: '1',
    CHECKPOINT_DISABLE: '1',
    LARDER_TETHER: String(process.pid),
  };
}

/** Runs npm under `node`, quietly. Returns its exit status and the last of what it wrote. */
export function npm(node, args) {
  const cli = npmCli();
  const result = spawnSync(node, [cli, ...args, '--loglevel=error'], {
    encoding: 'utf8',
    env: { ...environmentWith(node), npm_config_update_notifier: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`.trim();
  return { status: result.status, output: output.split('\n').slice(-20).join('\n') };
}

function npmCli() {
  const given = process.env.npm_execpath; // set when npm started us
  if (given?.endsWith('npm-cli.js') && existsSync(given)) return given;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'npm');
    if (folder && existsSync(file)) return realpathSync(file);
  }
  throw new Error('npm is not installed: install it with your system, or with Node from nodejs.org');
}

/**
 * Runs `node args` in our place: same terminal, our signals passed on, our exit code its own. The channel ends
 * it in order when we are killed (tether.mjs).
 */
export function runWith(node, args) {
  const child = spawn(node, ['--import', './bin/launcher/tether.mjs', ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: environmentWith(node),
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) stopWithParent(() => child.kill('SIGTERM'));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** npm passes signals on to a shell that dies of them without telling us: seen by our parent becoming another. */
function stopWithParent(stop) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 250);
  timer.unref();
}
