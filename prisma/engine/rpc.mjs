import { createInterface } from 'node:readline';
import { adapterFactory } from './driver-adapter.mjs';
import { loadEngine } from './wasm.mjs';

/** The CLI looks for this number, then into `data`. */
const ENGINE_ERROR = 4466;
/** Methods that the CLI and the engine name differently. */
const RENAMED = { getDatabaseVersion: 'version' };

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const log = (line) => process.stderr.write(`${line}\n`);

/** Answers one request a line, in order, until stdin ends. */
export async function serve({ url, shadowUrl, datamodels }) {
  let engine;
  // The engine connects when it is made: within the first answer, so that a failure is one.
  const ready = () => (engine ??= loadEngine(datamodels, adapterFactory({ url, shadowUrl }), log));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const { id, method, params } = JSON.parse(line);
    if (method) await answer(ready, id, method, params);
  }
  process.exit(0); // the engine keeps its connections
}

async function answer(ready, id, method, params) {
  try {
    const engine = await ready();
    send({ id, result: printed(method, await engine[RENAMED[method] ?? method](params)) ?? null });
  } catch (error) {
    const data = {
      is_panic: false,
      message: String(error.message ?? error),
      error_code: error.code ?? connectionErrorCode(error.message),
      meta: error.meta,
    };
    send({
      id,
      error: { code: ENGINE_ERROR, message: 'An error happened. Check the data field for details.', data },
    });
  }
}

/** The text of a diff travels ahead, as a request of ours that the CLI prints. */
function printed(method, result) {
  if (method !== 'diff' || !result?.stdout) return result;
  send({ id: 1_000_000, method: 'print', params: { content: result.stdout } });
  return { ...result, stdout: null };
}

/** Without a code the CLI shows no message. What has none is a failure to connect. */
function connectionErrorCode(message = '') {
  return /does not exist/i.test(message) ? 'P1003' : 'P1001';
}

/**
 * How a one-shot command fails. The CLI skips the first line of stderr, takes every further one for JSON, and looks
 * for this very target.
 */
export function reportFailure(error) {
  const fields = {
    message: error.message,
    is_panic: false,
    error_code: connectionErrorCode(error.message),
    meta: { database_name: /database "(.*)" does not exist/.exec(error.message)?.[1] },
  };
  const line = {
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    target: 'schema_engine::logger',
    fields,
  };
  process.stderr.write(`schema-engine failed\n${JSON.stringify(line)}`);
}
