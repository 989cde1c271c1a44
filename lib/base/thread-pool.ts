import { Worker } from 'node:worker_threads';

export interface ThreadPool<Task, Answer> {
  /** The thread's answer, or null when the task takes too long, too much memory, fails, or too much waits already. */
  run(task: Task): Promise<Answer | null>;
}

interface Waiting<Task, Answer> {
  readonly task: Task;
  readonly finish: (answer: Answer | null) => void;
}

const MAX_WAITING = 64;
const START_LIMIT_MS = 30_000;

/** The worker's next message, or null when it dies before or `limitMs` pass. */
function answerOf<T>(worker: Worker, limitMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    // Its own listeners are taken off one by one: removeAllListeners would also cut what Worker needs to deliver.
    const finish = (answer: T | null) => {
      clearTimeout(timer);
      worker.off('message', finish).off('error', onEnd).off('exit', onEnd);
      resolve(answer);
    };
    const onEnd = () => finish(null);
    const timer = setTimeout(onEnd, limitMs);
    worker.on('message', finish).on('error', onEnd).on('exit', onEnd);
  });
}

/** A worker that has loaded everything and waits, or null. */
async function startWorker(script: URL, heapMb: number): Promise<Worker | null> {
  const worker = new Worker(script, { resourceLimits: { maxOldGenerationSizeMb: heapMb } });
  worker.on('error', () => {}); // out of memory: answerOf sees the end
  worker.unref();
  if ((await answerOf<string>(worker, START_LIMIT_MS)) === 'ready') return worker;
  void worker.terminate();
  return null;
}

/**
 * Threads for work on what strangers wrote, at most `size` at once, each task for at most `limitMs` and `heapMb`. The
 * script says 'ready' when it has loaded and then answers each message with one object. A thread that hangs is ended
 * and replaced; more than 64 waiting tasks are refused at once.
 */
export function createThreadPool<Task, Answer extends object>(options: {
  script: URL;
  size: number;
  limitMs: number;
  heapMb: number;
}): ThreadPool<Task, Answer> {
  const waiting: Waiting<Task, Answer>[] = [];
  const idle: Worker[] = [];
  let running = 0;

  async function work(): Promise<void> {
    running++;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const worker = idle.pop() ?? (await startWorker(options.script, options.heapMb));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
      worker?.postMessage(next.task);
      const answer = worker && (await answerOf<Answer>(worker, options.limitMs));
      if (worker && answer) idle.push(worker);
      else void worker?.terminate();
      next.finish(answer ?? null);
    }
    running--;
  }

  return {
    run: (task) =>
      new Promise((finish) => {
        if (waiting.length >= MAX_WAITING) return finish(null);
        waiting.push({ task, finish });
        if (running < options.size) void work();
      }),
  };
}
