import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkEndpoints } from '#lib/endpoints/check-endpoints.ts';
import { createEndpoint } from '#lib/endpoints/create-endpoint.ts';
import { deleteEndpoint } from '#lib/endpoints/delete-endpoint.ts';
import type { Driver } from '#lib/endpoints/drivers/driver.ts';
import { listEvents } from '#lib/endpoints/list-events.ts';
import type { Reconciler } from '#lib/endpoints/reconcile.ts';
import { stopEndpoint } from '#lib/endpoints/stop-endpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { makeUser } from '#tests/repos/people.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { type Child, startChild } from '#tests/support/child.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { enginePids, eventually, realDriver, startRoom, untilState } from './engine-room.ts';
import { makeModel } from './model-repo.ts';

let test: TestApp;
let ctx: Ctx;
const rooms: Reconciler[] = [];
const workers: Child[] = [];

beforeEach(async () => {
  test = await createTestApp();
  ctx = test.ctxFor(await makeUser(test.app.db, 'ada'));
});

afterEach(async () => {
  const ends: string[] = [];
  for (const worker of workers.splice(0))
    ends.push(`${await worker.stop('SIGTERM', 60_000)}: ${worker.logs()}`);
  for (const room of rooms.splice(0)) await room.stop({ leaveEngines: false });
  const left = await enginePids(test.dataDir);
  for (const pid of left) process.kill(pid, 'SIGKILL');
  await test.close();
  expect(left, ends.join('\n')).toEqual([]);
});

const room = async (driver?: Driver) => {
  const started = await startRoom(test.app, driver);
  rooms.push(started);
  return started;
};

/** The real worker program on this app's database and data. */
function startWorker(env: Record<string, string> = {}): Child {
  const worker = startChild(['workers/main.ts'], {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    LARDER_DATA: test.dataDir,
    DATABASE_URL: test.databaseUrl,
    LARDER_SECRET: 'a secret for tests only, long enough to be taken',
    ...env,
  });
  workers.push(worker);
  return worker;
}

const deploy = async (gguf = scriptedModel()) => {
  const ref = await makeModel(ctx, 'scripted', gguf);
  return (await createEndpoint(ctx, ref)).endpoint;
};

async function problemsOf(driver: Driver): Promise<string[]> {
  const problems: string[] = [];
  for await (const problem of checkEndpoints(test.app, driver)) problems.push(problem);
  return problems;
}

const pidsWhen = (count: number) =>
  eventually(async () => {
    const pids = await enginePids(test.dataDir);
    return pids.length === count ? pids : null;
  }, `${count} engine(s)`);

describe('engines and workers that die', () => {
  it('F33: a worker killed with a running engine leaves it serving; the next adopts it and starts no second', async () => {
    const first = startWorker();
    const endpoint = await deploy();
    const ready = await untilState(ctx, endpoint, 'ready');
    const [pid] = await enginePids(test.dataDir);
    await first.stop('SIGKILL');
    expect(await enginePids(test.dataDir)).toEqual([pid]);
    const second = startWorker();
    await eventually(async () => second.logs().includes('worker ready'), 'second worker');
    await eventually(async () => {
      const { rows } = await test.app.db.query<{ fence: number }>('SELECT fence FROM endpoint');
      return (rows[0]?.fence ?? 0) >= 2;
    }, 'lease taken over');
    expect(await enginePids(test.dataDir)).toEqual([pid]);
    expect((await untilState(ctx, endpoint, 'ready')).readyAt).toBe(ready.readyAt);
    await stopEndpoint(ctx, endpoint);
    await untilState(ctx, endpoint, 'stopped');
    expect(await enginePids(test.dataDir)).toEqual([]);
    expect(await second.stop('SIGTERM')).toBe(0);
  }, 180_000);

  for (const point of [
    'endpoint.before-start',
    'engine.before-spawn',
    'engine.spawned',
    'endpoint.after-start',
  ]) {
    it(`F34: a worker killed at ${point} leaves nothing that the next does not find: one engine in the end`, async () => {
      const doomed = startWorker({ LARDER_FAILPOINTS: `${point}=exit` });
      const endpoint = await deploy();
      expect(await doomed.exited).toBe('SIGKILL');
      expect(doomed.logs()).toContain(`failpoint ${point}`);
      startWorker();
      await untilState(ctx, endpoint, 'ready');
      await pidsWhen(1);
      const { rows } = await test.app.db.query(`SELECT 1 FROM replica WHERE state <> 'exited'`);
      expect(rows).toHaveLength(1);
    }, 180_000);
  }

  it('F35: two workers on one endpoint start one engine', async () => {
    await room();
    await room();
    const endpoint = await deploy();
    await untilState(ctx, endpoint, 'ready');
    expect(await enginePids(test.dataDir)).toHaveLength(1);
    const { rows } = await test.app.db.query('SELECT 1 FROM replica');
    expect(rows).toHaveLength(1);
    await stopEndpoint(ctx, endpoint);
    await untilState(ctx, endpoint, 'stopped');
  }, 180_000);

  it('F37: an engine that is killed is noticed within two seconds, said so, and started again', async () => {
    await room();
    const endpoint = await deploy();
    await untilState(ctx, endpoint, 'ready');
    const [pid] = await enginePids(test.dataDir);
    if (pid === undefined) throw new Error('no engine');
    process.kill(pid, 'SIGKILL');
    const killedMs = performance.now();
    const pending = await untilState(ctx, endpoint, 'pending');
    expect(performance.now() - killedMs).toBeLessThan(5_000); // 2 s, on a machine with nothing else to do
    expect(pending.message).toMatch(/killed/);
    expect(pending.retryAt).not.toBeNull();
    await untilState(ctx, endpoint, 'ready');
    const again = await pidsWhen(1);
    expect(again).not.toEqual([pid]);
    const states = await listEvents(ctx, endpoint, { kinds: ['state'] });
    expect(states.filter((e) => e.kind === 'state' && e.state === 'ready')).toHaveLength(2);
  }, 180_000);

  it('P10: an engine that no endpoint explains is a problem to the check, and is stopped', async () => {
    const driver = await realDriver(test.app);
    expect(await problemsOf(driver)).toEqual([]);
    const home = `${test.dataDir}/engines/${driver.node.split(':')[0]}`;
    const stray = spawn(
      process.execPath,
      ['-e', 'setInterval(() => {}, 1000)', '--', `--replica=${'ab'.repeat(12)}`, `--home=${home}`],
      { detached: true, stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => stray.once('exit', resolve));
    expect(await enginePids(test.dataDir)).toEqual([stray.pid]);
    const problems = await problemsOf(await realDriver(test.app));
    expect(problems).toEqual([expect.stringMatching(`pid ${stray.pid}.*without an endpoint`)]);
    await room(driver);
    await ended;
    await pidsWhen(0);
    expect(await problemsOf(driver)).toEqual([]);
  }, 180_000);

  it('H134: deleting while the weights are pulled, twice, and while no worker lives, ends with nothing left', async () => {
    const endpoint = await deploy(Buffer.concat([scriptedModel(), Buffer.alloc(50_000_000)]));
    const driver = await realDriver(test.app);
    await room(driver);
    await untilState(ctx, endpoint, 'pulling').catch(() => {}); // it may be quicker than we look
    await deleteEndpoint(ctx, endpoint);
    await expect(deleteEndpoint(ctx, endpoint)).rejects.toThrow('Endpoint not found');
    const gone = () =>
      eventually(async () => {
        const { rowCount } = await test.app.db.query('SELECT 1 FROM endpoint');
        return rowCount === 0 && (await enginePids(test.dataDir)).length === 0;
      }, 'nothing left');
    await gone();
    await rooms.pop()?.stop({ leaveEngines: false });
    const { endpoint: second } = await createEndpoint(ctx, endpoint.repo);
    await deleteEndpoint(ctx, second); // nobody there to act on it
    await room(driver);
    await gone();
  }, 180_000);

  it('F41: after quick changes of mind the last one holds', async () => {
    await room();
    const endpoint = await deploy();
    const { resumeEndpoint } = await import('#lib/endpoints/resume-endpoint.ts');
    for (let i = 0; i < 6; i++) {
      await stopEndpoint(ctx, endpoint);
      await new Promise((resolve) => setTimeout(resolve, i * 60));
      await resumeEndpoint(ctx, endpoint);
      await new Promise((resolve) => setTimeout(resolve, i * 150));
    }
    await untilState(ctx, endpoint, 'ready');
    await pidsWhen(1);
    await stopEndpoint(ctx, endpoint);
    await untilState(ctx, endpoint, 'stopped');
    expect(await enginePids(test.dataDir)).toEqual([]);
  }, 180_000);

  it('an orderly end of the worker ends its engines, and says who waits for what; with LARDER_ENGINES_OUTLIVE_WORKER they stay', async () => {
    const first = startWorker({ LARDER_ENGINES_OUTLIVE_WORKER: 'true' });
    const endpoint = await deploy();
    await untilState(ctx, endpoint, 'ready');
    const pids = await enginePids(test.dataDir);
    expect(await first.stop('SIGTERM')).toBe(0);
    expect(await enginePids(test.dataDir)).toEqual(pids);
    const second = startWorker();
    await eventually(async () => second.logs().includes('worker ready'), 'second worker');
    expect(await enginePids(test.dataDir)).toEqual(pids);
    expect(await second.stop('SIGTERM')).toBe(0);
    expect(await enginePids(test.dataDir)).toEqual([]);
    const waiting = await untilState(ctx, endpoint, 'pending');
    expect(waiting.message).toBe('waiting for a worker');
    startWorker();
    await untilState(ctx, endpoint, 'ready');
  }, 180_000);

  it('a worker that is asked to stop while it still starts leaves no engine behind', async () => {
    const first = startWorker();
    const endpoint = await deploy();
    await untilState(ctx, endpoint, 'ready');
    await first.stop('SIGKILL');
    const second = startWorker({ LARDER_FAILPOINTS: 'worker.starting=sleep:2000' });
    await eventually(
      async () => second.logs().includes('failpoint worker.starting'),
      'second worker at work',
    );
    expect(await second.stop('SIGTERM', 60_000)).toBe(0);
    expect(await enginePids(test.dataDir)).toEqual([]);
  }, 180_000);

  it('the engine sees no secret of the hub', async () => {
    await room();
    const endpoint = await deploy();
    await untilState(ctx, endpoint, 'ready');
    const [pid] = await enginePids(test.dataDir);
    const { readFile } = await import('node:fs/promises');
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0').filter(Boolean);
    const names = environment.map((line) => line.split('=')[0]).sort();
    const allowed = ['LANG', 'LARDER_ENGINE_TOKEN', 'LC_ALL', 'PATH', 'TMPDIR', 'TZ'];
    expect(names.filter((name) => !allowed.includes(name ?? ''))).toEqual([]);
  }, 180_000);
});
