import { parentPort } from 'node:worker_threads';
import { XetInvalid } from './invalid.ts';
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

/** Large buffers are moved, not copied; a view into the process's shared pool of small buffers must be copied. */
function movable(output: object): ArrayBuffer[] {
  const buffers = Object.values(output)
    .filter((v): v is Uint8Array<ArrayBuffer> => v instanceof Uint8Array && v.buffer.byteLength > 65_536)
    .map((v) => v.buffer);
  return [...new Set(buffers)];
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
  const answer = run(request);
  parentPort?.postMessage(answer, 'output' in answer ? movable(answer.output) : []);
});
