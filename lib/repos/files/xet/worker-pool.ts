import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { XetInvalid } from './invalid.ts';
import { ownBytes } from './own-bytes.ts';
import type { WorkerAnswer, WorkerRequest } from './verify-worker.ts';
import type { TaskName, WorkerTasks } from './worker-tasks.ts';

export interface WorkerPool {
  /**
   * Runs a task in a verification thread. `moved` are buffers that the caller gives away: they are empty afterwards.
   * Rejects with XetInvalid for wrong bytes, with HubError `overloaded` when too much waits already.
   */
  run<K extends TaskName>(
    name: K,
    input: WorkerTasks[K]['input'],
    moved?: readonly ArrayBuffer[],
  ): Promise<WorkerTasks[K]['output']>;
}

interface Job {
  readonly request: WorkerRequest;
  readonly moved: readonly ArrayBuffer[];
  readonly resolve: (output: object) => void;
  readonly reject: (error: Error) => void;
}

const MAX_WAITING = 1024;
/** A thread costs about 30 MB. */
const MAX_THREADS = 8;

/** One thread; runs one job at a time. */
class Lane {
  #worker: Worker | undefined;
  #job: Job | undefined;
  readonly #next: () => void;

  constructor(next: () => void) {
    this.#next = next;
  }

  get isFree(): boolean {
    return this.#job === undefined;
  }

  start(job: Job): void {
    this.#job = job;
    this.#worker ??= this.#spawn();
    this.#worker.ref(); // while it works the process waits for it, and then may end (a listener alone would keep it)
    try {
      this.#worker.postMessage(job.request, [...job.moved]);
    } catch (error) {
      this.#job = undefined;
      job.reject(error as Error); // a buffer that was given away already
    }
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./verify-worker.ts', import.meta.url));
    worker.on('message', (answer: WorkerAnswer) => this.#done(answer));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', () => this.#died(worker, new Error('a verification thread ended')));
    return worker;
  }

  #done(answer: WorkerAnswer): void {
    const job = this.#job;
    this.#job = undefined;
    this.#worker?.unref();
    if ('output' in answer) job?.resolve(answer.output);
    else if ('invalid' in answer) job?.reject(new XetInvalid(answer.invalid));
    else job?.reject(new Error(answer.failure));
    this.#next();
  }

  #died(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const job = this.#job;
    this.#job = undefined;
    job?.reject(error);
    this.#next();
  }
}

/** A pool of `size` threads, each started when first needed; they end with the process. */
function createWorkerPool(size: number): WorkerPool {
  const waiting: Job[] = [];
  const next = () => {
    for (const lane of lanes) {
      if (waiting.length === 0) return;
      if (lane.isFree) lane.start(waiting.shift() as Job);
    }
  };
  const lanes = Array.from({ length: size }, () => new Lane(next));
  return {
    run: <K extends TaskName>(name: K, input: WorkerTasks[K]['input'], moved: readonly ArrayBuffer[] = []) =>
      new Promise<WorkerTasks[K]['output']>((resolve, reject) => {
        if (waiting.length >= MAX_WAITING) {
          reject(hubError('overloaded', 'too many files are being verified at the moment: try again'));
          return;
        }
        waiting.push({
          request: { name, input: ownBytes(input, moved) },
          moved,
          resolve: resolve as (output: object) => void,
          reject,
        });
        next();
      }),
  };
}

const pools = new WeakMap<object, WorkerPool>();

/** The process's verification threads: one per core, eight at most. */
export function workerPool(app: Pick<App, 'db'>): WorkerPool {
  let pool = pools.get(app.db);
  if (pool === undefined)
    pools.set(app.db, (pool = createWorkerPool(Math.min(MAX_THREADS, availableParallelism()))));
  return pool;
}
