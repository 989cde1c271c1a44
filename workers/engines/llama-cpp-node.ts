/**
 * Inference engine for GGUF files on llama.cpp, one process per replica. Speaks the OpenAI API on a loopback port
 * of its own choice, which it writes to --port-file. A bad model file aborts this process and nothing else.
 *
 *   node llama-cpp-node.ts --replica=ID --home=DIR --model=FILE --model-name=ns/name --port-file=FILE
 *                          --threads=N --context=TOKENS --parallel=N
 *   LARDER_ENGINE_TOKEN: what callers must send as a bearer token
 *
 * Exit codes: 0 asked to stop, 78 the model file cannot be used (trying again is useless), else a fault.
 * What it prints is the endpoint's log: never prompts or answers.
 */
import { renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { InsufficientMemoryError } from 'node-llama-cpp';
import { createEngineServer } from './engine-server.ts';
import { type LoadedModel, loadLlamaModel } from './llama/llama-model.ts';
import { sendAnswer } from './llama/openai-answer.ts';
import { readRequest } from './llama/openai-request.ts';

const EXIT_MODEL_UNUSABLE = 78;
const DRAIN_MS = 3_000;
const NICE = 5;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    replica: { ...text, default: 'none' },
    home: text,
    model: { ...text, default: '' },
    'model-name': { ...text, default: 'model' },
    'port-file': text,
    threads: { ...text, default: '1' },
    context: { ...text, default: '4096' },
    parallel: { ...text, default: '2' },
  },
});
const log = (line: string) => console.log(line.replaceAll(values.model || '\0', 'the model file'));
setPriority(NICE); // a busy model must not starve the hub beside it
const token = process.env.LARDER_ENGINE_TOKEN ?? '';
delete process.env.LARDER_ENGINE_TOKEN;
let model: LoadedModel | null = null;
let inFlight = 0;

const server = createEngineServer({
  replicaId: values.replica,
  token,
  modelName: values['model-name'],
  paths: new Set(['/v1/chat/completions', '/v1/completions']),
  isReady: () => model !== null,
  serve: async (path, body, res, signal) => {
    if (model === null) throw new Error('not loaded');
    const request = readRequest(path === '/v1/completions' ? 'text' : 'chat', body);
    const startedMs = performance.now();
    inFlight++;
    try {
      const pieces = model.generate(request, signal);
      const used = await sendAnswer(res, request, values['model-name'], pieces, signal);
      const seconds = (performance.now() - startedMs) / 1000;
      log(
        `${path} 200: ${used.promptTokens} prompt + ${used.completionTokens} answer tokens in ${seconds.toFixed(2)} s`,
      );
    } catch (error) {
      log(`${path}: ${signal.aborted ? 'the caller went away' : (error as Error).name}`);
      throw error;
    } finally {
      inFlight--;
    }
  },
});

function stop(): void {
  server.close();
  const deadline = performance.now() + DRAIN_MS;
  const timer = setInterval(() => {
    if (inFlight > 0 && performance.now() < deadline) return;
    clearInterval(timer);
    log('stopped');
    process.exit(0);
  }, 20);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  const file = values['port-file'];
  if (file) {
    writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, port }));
    renameSync(`${file}.new`, file);
  } else log(`listening on 127.0.0.1:${port}`);
});

const startedMs = performance.now();
try {
  const loaded = await loadLlamaModel({
    modelPath: values.model,
    threads: Number(values.threads),
    contextSize: Number(values.context),
    parallel: Number(values.parallel),
    log,
  });
  model = loaded;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
  log(
    `model loaded in ${seconds} s: ${loaded.contextSize} tokens of context, ${values.parallel} requests at once, ${values.threads} thread(s)`,
  );
} catch (error) {
  log(`cannot load the model: ${(error as Error).message}`);
  process.exit(error instanceof InsufficientMemoryError ? 1 : EXIT_MODEL_UNUSABLE);
}
