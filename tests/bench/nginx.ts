import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { stopPeer } from './children.ts';

const PATHS = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx', '/opt/homebrew/bin/nginx'];

/** nginx's path; installs nginx-light when it is missing and this is Debian's or Ubuntu's root. Null with a word on stderr when there is none. */
function findNginx(): string | null {
  const found = () => PATHS.find((path) => existsSync(path)) ?? null;
  if (found() === null && process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args: string[]) => spawnSync('apt-get', args, { stdio: 'ignore', env });
    apt('update', '-qq');
    apt('install', '-y', '-qq', '--no-install-recommends', 'nginx-light');
  }
  if (found() === null)
    process.stderr.write('nginx is missing (apt-get install nginx-light): downloads are not compared\n');
  return found();
}

export interface Nginx {
  /** Serves `folder` at its root, with sendfile. */
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** One nginx worker that serves a folder statically, or null. */
export async function startNginx(folder: string): Promise<Nginx | null> {
  const path = findNginx();
  if (path === null) return null;
  const dir = await mkdtemp(join(tmpdir(), 'larder-nginx-'));
  const port = await freePort();
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${dir}/${name};`)
    .join(' ');
  await writeFile(
    join(dir, 'nginx.conf'),
    `user root; worker_processes 1; daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; ${temp}
  server { listen 127.0.0.1:${port}; root ${folder}; } }
`,
  );
  const child: ChildProcess = spawn(path, ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')], {
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      await stopPeer(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
