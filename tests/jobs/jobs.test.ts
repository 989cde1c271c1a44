import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { transaction } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import { defineJob } from '#lib/jobs/define.ts';
import { deadLetterOf } from '#lib/jobs/pg-boss-queue.ts';
import { handleJob, type RunningJobs, runJobs } from '#lib/jobs/run-jobs.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

const schema = z.object({ n: z.number() });
let count = 0;
/** A job of its own for each test. */
const newJob = (more: { retryLimit?: number } = {}) =>
  defineJob({ name: `test.job-${++count}`, schema, ...more });

let test: TestApp;
let app: App;
const running: RunningJobs[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  test = await createTestApp({ env: { LOG_LEVEL: 'silent' } });
  app = test.app;
});
afterEach(async () => {
  for (const jobs of running.splice(0)) await jobs.stop();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => test?.close());

async function until(what: string, check: () => boolean | Promise<boolean>, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`${what} did not happen in ${timeoutMs} ms`);
    await sleep(50);
  }
}

/** Jobs of a queue that are in `state` now. */
async function jobsIn(name: string, state?: string): Promise<{ data: { n: number }; state: string }[]> {
  const { rows } = await app.db.query<{ data: { n: number }; state: string }>(
    'SELECT data, state::text FROM pgboss.job WHERE name = $1 AND ($2::text IS NULL OR state::text = $2) ORDER BY created_on',
    [name, state ?? null],
  );
  return rows;
}

async function work(...handlers: Parameters<typeof runJobs<App>>[1]): Promise<void> {
  running.push(await runJobs(app, handlers));
}

describe('enqueue', () => {
  it('makes a job exist if and only if the transaction commits', async () => {
    const job = newJob();
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 1 }));
    await expect(
      transaction(app.db, async (tx) => {
        await app.queue.enqueue(tx, job, { n: 2 });
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect((await jobsIn(job.name)).map((j) => j.data.n)).toEqual([1]);
  });

  it('refuses data that does not fit the job before anything is written', async () => {
    const job = newJob();
    const wrong = { n: 'one' } as unknown as { n: number };
    await expect(transaction(app.db, (tx) => app.queue.enqueue(tx, job, wrong))).rejects.toThrow();
    expect(await jobsIn(job.name)).toEqual([]);
  });

  it('with a key is swallowed by a waiting job of that key, and by no other', async () => {
    const job = newJob();
    for (const [n, key] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
      [4, undefined],
      [5, undefined],
    ] as const)
      await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n }, key === undefined ? {} : { key }));
    expect((await jobsIn(job.name)).map((j) => j.data.n).sort()).toEqual([1, 3, 4, 5]);
  });

  it('with a key of a job that is already at work makes a second one: the first may have read too early', async () => {
    const job = newJob();
    const seen: number[] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await work(
      handleJob<App, { n: number }>(job, async (_, { n }) => {
        seen.push(n);
        if (n === 1) await held;
      }),
    );
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 1 }, { key: 'k' }));
    await until('the first to start', () => seen.includes(1));
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 2 }, { key: 'k' }));
    release();
    await until('the second to run', () => seen.includes(2));
  });

  it('that is swallowed keeps the waiting job from running until its own transaction ends', async () => {
    const job = newJob();
    const seen: number[] = [];
    await transaction(app.db, (tx) =>
      app.queue.enqueue(tx, job, { n: 1 }, { key: 'k', startAfterSeconds: 1 }),
    );
    await transaction(app.db, async (tx) => {
      await app.queue.enqueue(tx, job, { n: 2 }, { key: 'k' });
      await work(
        handleJob<App, { n: number }>(job, async (_, { n }) => {
          seen.push(n);
        }),
      );
      await sleep(3_500);
      expect(seen).toEqual([]); // our change is not visible yet, so nobody may work on it
    });
    await until('it to run after the commit', () => seen.length === 1);
    expect(seen).toEqual([1]);
  });
});

describe('workers', () => {
  it('run a new job at once, with its data', async () => {
    const job = newJob();
    const seen: number[] = [];
    await work(
      handleJob<App, { n: number }>(job, async (given, { n }) => {
        expect(given).toBe(app);
        seen.push(n);
      }),
    );
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 7 }));
    await until('the job to run', () => seen.length === 1, 5_000);
    expect(seen).toEqual([7]);
    await until('it to be done', async () => (await jobsIn(job.name, 'completed')).length === 1);
  });

  it('try a failing job again, then lay it into the dead-letter queue with its data', async () => {
    const job = newJob({ retryLimit: 2 });
    let attempts = 0;
    await work(
      handleJob<App, { n: number }>(job, async () => {
        attempts += 1;
        throw new Error('poison');
      }),
    );
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 9 }));
    await until('it to be given up', async () => (await jobsIn(deadLetterOf(job.name))).length === 1, 40_000);
    expect(attempts).toBe(3);
    expect((await jobsIn(deadLetterOf(job.name)))[0]?.data).toEqual({ n: 9 });
    expect(await jobsIn(job.name, 'failed')).toHaveLength(1);
  });

  it('give a job of a worker that was killed to another one', async () => {
    const job = newJob();
    const child = spawn(process.execPath, ['tests/jobs/stuck-worker.ts', test.databaseUrl, job.name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 3 }));
    await until('the worker to take the job', () => output.includes('took 3'));
    child.kill('SIGKILL');
    const seen: number[] = [];
    await work(
      handleJob<App, { n: number }>(job, async (_, { n }) => {
        seen.push(n);
      }),
    );
    await until('another worker to run it', () => seen.length > 0, 55_000);
    expect(seen).toEqual([3]);
  }, 90_000);

  it('run a job on its schedule', async () => {
    const job = defineJob({ name: `test.job-${++count}`, schema: z.object({}) });
    let runs = 0;
    await work(
      handleJob<App, object>(
        job,
        async () => {
          runs += 1;
        },
        { cron: '* * * * *' },
      ),
    );
    await until('the minute to come', () => runs > 0, 130_000);
  }, 140_000);

  it('stop in order: the job at work is finished, none is begun after', async () => {
    const job = newJob();
    const [begun, ended] = [new Set<number>(), new Set<number>()];
    const jobs = await runJobs(app, [
      handleJob<App, { n: number }>(job, async (_, { n }) => {
        begun.add(n);
        await sleep(800);
        ended.add(n);
      }),
    ]);
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 1 }));
    await until('it to begin', () => begun.has(1));
    await jobs.stop();
    expect([...ended]).toEqual([1]);
    await transaction(app.db, (tx) => app.queue.enqueue(tx, job, { n: 2 }));
    await sleep(1_500);
    expect(begun.has(2)).toBe(false);
    expect(await jobsIn(job.name, 'created')).toHaveLength(1);
  });
});
