import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configSchema } from '#lib/base/config.ts';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { type Child, PROJECT, startChild, waitUntilHealthy } from '#tests/support/child.ts';
import { createEmptyDatabase, type TestDatabase } from '#tests/support/database.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';

/** A package's name in a static or dynamic import; files and `#lib` do not match. */
const IMPORT =
  /^(?:import|export|\})(?:[^'\n]*\bfrom)? '([^'.#\n][^'\n]*)';|\bimport\('([^'.#\n][^'\n]*)'\)/gm;

interface Service {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  configs?: { source: string }[];
  network_mode?: string;
}

interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  configs: Record<string, { content: string }>;
}

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as Compose;
const dockerfile = readFileSync('Dockerfile', 'utf8');
const ours = Object.entries(compose.services).filter(([, service]) => service.build !== undefined);

function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** What the last stage takes over, relative to the project. */
function copiedIntoImage(): string[] {
  const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  return [...last.matchAll(/^COPY --from=build (.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' ').map((path) => path.replace('/app/', '')),
  );
}

describe('docker-compose.yml', () => {
  test('foreign images are pinned to a version', () => {
    for (const [name, { image, build }] of Object.entries(compose.services))
      if (build === undefined) expect(image, name).toMatch(/^[a-z/]+:\d+\.\d+/);
  });

  test('our services set only keys of the configuration', () => {
    for (const [name, { environment = {} }] of ours)
      for (const key of Object.keys(environment))
        expect(Object.keys(configSchema.shape), name).toContain(key);
  });

  test('every service waits for healthy ones, and every one that keeps running can tell its health', () => {
    for (const [name, { depends_on: needs = {}, healthcheck }] of Object.entries(compose.services)) {
      for (const [needed, { condition }] of Object.entries(needs)) {
        const expected = needed === 'migrate' ? 'service_completed_successfully' : 'service_healthy';
        expect([name, needed, condition]).toEqual([name, needed, expected]);
        expect(compose.services).toHaveProperty(needed);
      }
      if (name !== 'migrate') expect(healthcheck, name).toBeDefined();
    }
  });

  test('volumes and configs that are used are declared', () => {
    for (const { volumes = [], configs = [] } of Object.values(compose.services)) {
      for (const volume of volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
      for (const { source } of configs) expect(compose.configs).toHaveProperty(source);
    }
  });

  test("the store's configuration is JSON and admits the very key that the hub signs with", () => {
    const { identities } = JSON.parse(compose.configs.s3?.content ?? '') as {
      identities: { credentials: { accessKey: string; secretKey: string }[] }[];
    };
    const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = service('server').environment ?? {};
    expect(identities[0]?.credentials).toEqual([
      { accessKey: S3_ACCESS_KEY_ID, secretKey: S3_SECRET_ACCESS_KEY },
    ]);
  });

  test('the worker shares loopback with the server, whose gateway calls the engines there', () => {
    expect(service('worker').network_mode).toBe('service:server');
  });
});

describe('Dockerfile', () => {
  test('the image runs Node 24 as an ordinary user', () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(images)).toEqual(new Set(['node:24-bookworm-slim']));
    expect(/^USER (\S+)/m.exec(dockerfile)?.[1]).toBe('node');
  });

  test('everything that is copied exists, and everything that the programs import is copied', () => {
    const copied = copiedIntoImage();
    for (const path of copied) expect(existsSync(path), path).toBe(true);
    expect(copied).toEqual(
      expect.arrayContaining(['lib', 'workers', 'bin', 'prisma', '.next', 'node_modules', 'server.ts']),
    );
  });

  test('what the image runs needs no development dependency', () => {
    const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const files = spawnSync(
      'git',
      ['ls-files', '-co', '--exclude-standard', 'lib', 'workers', 'app', 'server.ts'],
      {
        encoding: 'utf8',
      },
    ).stdout.split('\n');
    expect(files.length).toBeGreaterThan(100);
    expect([..."import pg from 'pg';".matchAll(IMPORT)]).toHaveLength(1);
    const wrong = files
      .filter((file) => /\.tsx?$/.test(file) && !/\.test\./.test(file) && existsSync(file))
      .flatMap((file) => {
        const text = readFileSync(file, 'utf8').replaceAll(/import type [^;]+;/g, '');
        const imports = [...text.matchAll(IMPORT)].map(([, a, b]) => a ?? b ?? '');
        const packages = imports.map((name) => /^(@[^/]+\/[^/]+|[^/]+)/.exec(name)?.[0] ?? name);
        return packages
          .filter(
            (name) => !name.startsWith('node:') && !(name in dependencies) && !(name in optionalDependencies),
          )
          .map((name) => `${file}: ${name}`);
      });
    expect(wrong).toEqual([]);
  });
});

describe("the entry commands of docker-compose.yml, outside of a container, with the image's files alone", () => {
  let database: TestDatabase;
  let s3: TestS3;
  let data: string;
  let image: string;
  const children: Child[] = [];

  beforeAll(async () => {
    database = await createEmptyDatabase();
    s3 = await startRgw();
    data = mkdtempSync(join(tmpdir(), 'larder-compose-'));
    image = join(data, 'image');
    mkdirSync(image);
    for (const path of copiedIntoImage()) {
      const place = join(image, path);
      if (path === 'node_modules' || path === '.next') symlinkSync(join(PROJECT, path), place);
      else cpSync(join(PROJECT, path), place, { recursive: true });
    }
  });
  afterAll(async () => {
    for (const child of children.toReversed()) await child.stop();
    await database?.drop();
    await s3?.stop();
    if (data) rmSync(data, { recursive: true, force: true });
  });

  /** The service's environment as compose would make it, with our addresses for those of its network. */
  function environmentOf(name: string): Record<string, string> {
    const interpolated = Object.entries(service(name).environment ?? {}).map(([key, value]) => [
      key,
      value.replaceAll(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_, _name, text) =>
        text.includes('write it') ? 'secret' : text,
      ),
    ]);
    return {
      ...Object.fromEntries(interpolated),
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      LARDER_DATA: join(data, name),
      S3_ENDPOINT: s3.endpoint,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      LARDER_ADMIN_PASSWORD: 'a password for this test',
    };
  }

  function commandOf(name: string): string[] {
    const [program, ...args] = service(name).command ?? [];
    expect(program).toBe('node');
    return args;
  }

  function runHealthcheck(name: string, env: Record<string, string>): number | null {
    const [kind, program, ...args] = service(name).healthcheck?.test ?? [];
    expect([kind, program]).toEqual(['CMD', 'node']);
    return spawnSync(process.execPath, args, { cwd: image, env: { ...process.env, ...env } }).status;
  }

  test('migrate ends with 0, twice; server and worker then become healthy on S3 and say so to their healthchecks', async () => {
    for (const expected of ['20261123000000_foundation', 'none, up to date']) {
      const migrate = startChild(commandOf('migrate'), environmentOf('migrate'), image);
      expect([await migrate.exited, migrate.logs()]).toEqual([0, expect.stringContaining(expected)]);
    }
    for (const [name, variable] of [
      ['server', 'PORT'],
      ['worker', 'LARDER_WORKER_HEALTH_PORT'],
    ] as const) {
      const env = { ...environmentOf(name), [variable]: String(await freePort()) };
      expect(runHealthcheck(name, env)).toBe(1);
      const child = startChild(commandOf(name), env, image);
      children.push(child);
      await waitUntilHealthy(child, `http://127.0.0.1:${env[variable]}/healthz`);
      expect(runHealthcheck(name, env)).toBe(0);
    }
  });

  test('both end with 0 when the container is stopped', async () => {
    for (const child of children.splice(0).toReversed()) expect(await child.stop('SIGTERM')).toBe(0);
  });
});
