import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Packages of Debian and Ubuntu that hold the S3 server of the tests. */
const RGW_PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw', 'ceph-common'];

export interface TestS3 {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const START_TIMEOUT_MS = 90_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** One monitor, one OSD that lives in memory, no authentication between them, one gateway: nothing of it outlives the test. */
function configuration(dir: string, ports: { mon: number; gateway: number }, fsid: string): string {
  return `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${ports.mon}
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
log file = ${dir}/$name.log
admin socket = ${dir}/$name.asok
run dir = ${dir}
mon data = ${dir}/mon
mon data avail warn = 2
mon data avail crit = 1
mon allow pool size one = true
mon max pg per osd = 1000
osd data = ${dir}/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = false
osd class update on start = false
[client.gateway]
rgw frontends = beast endpoint=127.0.0.1:${ports.gateway}
`;
}

async function until(what: string, deadline: number, test: () => Promise<boolean>): Promise<void> {
  let cause: unknown;
  const passes = () =>
    test().catch((error: unknown) => {
      cause = error;
      return false;
    });
  while (!(await passes())) {
    if (Date.now() > deadline)
      throw new Error(`S3 server for tests: ${what} did not happen in time`, { cause });
    await sleep(200);
  }
}

/**
 * Starts a real S3 server (Ceph RGW from Debian's packages) on free ports of the loopback, in about 12 s, with its
 * data in memory. stop() ends exactly the processes started here and removes their folder.
 */
export async function startRgw(): Promise<TestS3> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-rgw-'));
  const children: ChildProcess[] = [];
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const onExit = () => {
    killAll();
    rmSync(dir, { recursive: true, force: true });
  };
  process.once('exit', onExit); // a test run that breaks off leaves no server and no folder behind
  const stop = async () => {
    process.off('exit', onExit);
    const ends = children.map((child) =>
      child.exitCode === null && child.signalCode === null
        ? new Promise((resolve) => child.once('exit', resolve))
        : undefined,
    );
    killAll();
    await Promise.all(ends);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    return { ...(await boot(dir, children)), stop };
  } catch (error) {
    await stop();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`no S3 server for tests: apt-get install ${RGW_PACKAGES.join(' ')}`, { cause: error });
    throw error;
  }
}

async function boot(dir: string, children: ChildProcess[]): Promise<Omit<TestS3, 'stop'>> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const ports = { mon: await freePort(), gateway: await freePort() };
  const fsid = randomUUID();
  const osdId = randomUUID();
  const conf = join(dir, 'ceph.conf');
  const map = join(dir, 'monmap');
  await writeFile(conf, configuration(dir, ports, fsid));
  for (const name of ['mon', 'osd']) mkdirSync(join(dir, name));
  const daemon = async (command: string, ...args: string[]) => {
    const child = spawn(command, ['-c', conf, '-f', ...args], { stdio: 'ignore' });
    children.push(child);
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  };
  const ceph = (...args: string[]) => run('ceph', ['-c', conf, ...args], { timeout: 10_000 });
  // A monitor that has just answered may still refuse the next command for a moment ("problem getting command
  // descriptions"), so each is repeated until it is accepted; all of them may be.
  const accepted = (...args: string[]) =>
    until(`\`ceph ${args.join(' ')}\``, deadline, () => ceph(...args).then(() => true));

  await run('monmaptool', ['--create', '--addv', 'a', `v1:127.0.0.1:${ports.mon}`, '--fsid', fsid, map]);
  await run('ceph-mon', ['-c', conf, '--mkfs', '-i', 'a', '--monmap', map, '--keyring', '/dev/null']);
  await daemon('ceph-mon', '-i', 'a');
  await accepted('osd', 'new', osdId);
  await run('ceph-osd', ['-c', conf, '-i', '0', '--mkfs', '--osd-uuid', osdId]);
  await accepted('osd', 'crush', 'add', 'osd.0', '1.0', 'host=h', 'root=default');
  await daemon('ceph-osd', '-i', '0');
  await until('the storage daemon coming up', deadline, async () =>
    /\b1 up/.test((await ceph('osd', 'stat')).stdout),
  );
  await daemon('radosgw', '-n', 'client.gateway');
  const endpoint = `http://127.0.0.1:${ports.gateway}`;
  await until('the gateway answering', deadline, async () => (await fetch(endpoint)).ok);
  const keys = { accessKeyId: `AK${randomUUID().slice(0, 8)}`, secretAccessKey: randomUUID() };
  const user = ['--uid=larder', '--display-name=larder', `--access-key=${keys.accessKeyId}`];
  const create = ['-c', conf, 'user', 'create', ...user, `--secret-key=${keys.secretAccessKey}`];
  await until('the user being made', deadline, () =>
    run('radosgw-admin', create, { timeout: 20_000 }).then(() => true),
  );
  return { endpoint, ...keys };
}
