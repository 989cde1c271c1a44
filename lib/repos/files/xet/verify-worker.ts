import { isMarkedAsUntransferable, parentPort } from 'node:worker_threads';
import { XetInvalid } from './invalid.ts';
import { ownBytes } from './own-bytes.ts';
import { type TaskName, taskFunctions } from './worker-tasks.ts';

/** Request and answer between the pool and its threads. */
export interface WorkerRequest {
  readonly name: TaskName;
  readonly input: unknown;
}
export type WorkerAnswer =
  | { readonly output: object }
  | { readonly invalid: string }
  | { readonly failure: string };

/** Buffers are moved, not copied, except Node's pool of small ones and those of native modules. */
function movable(output: object): ArrayBuffer[] {
  const buffers = Object.values(output)
    .filter((v): v is Uint8Array<ArrayBuffer> => v instanceof Uint8Array)
    .map((v) => v.buffer)
    .filter((buffer) => !isMarkedAsUntransferable(buffer));
  return [...new Set(buffers)];
}

function post(answer: WorkerAnswer): void {
  const moved = 'output' in answer ? movable(answer.output) : [];
  const message = 'output' in answer ? { output: ownBytes(answer.output, moved) } : answer;
  parentPort?.postMessage(message, moved);
}

function run({ name, input }: WorkerRequest): WorkerAnswer {
  try {
    return { output: (taskFunctions[name] as (input: unknown) => object)(input) };
  } catch (error) {
    if (error instanceof XetInvalid) return { invalid: error.message };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on('message', (request: WorkerRequest) => {
  post(run(request));
});
