import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentForOthers } from '#lib/base/config.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { EngineExit, EngineId } from '../types.ts';
import type { Driver, FoundEngine, ReplicaSpec } from './driver.ts';
import { takeLogLines } from './engine-log.ts';
import { bornAt, findByArguments, type ProcessIdentity, signalGroup } from './processes.ts';

export interface ProcessDriverOptions {
  /** LARDER_DATA. */
  readonly dataDir: string;
  /** Program files of the engines, run by this Node. */
  readonly engines: Readonly<Record<EngineId, string>>;
  readonly threads: number;
}

/** `<replicaId>.json`: written before the process exists, so that a start is never forgotten. */
interface StartRecord {
  readonly replicaId: string;
  readonly endpointId: string;
  readonly generation: number;
  readonly process: ProcessIdentity | null;
  readonly exit: EngineExit | null;
}

const REPLICA_ID = /^[0-9a-f]{24}$/;
/** Between writing the record and being seen in the process table. */
const SPAWN_MS = 10_000;
const KILL_MS = 10_000;
const FULL_SCAN_MS = 5_000;

/**
 * Runs each engine as a process group of its own that outlives the worker. Every start is written to
 * LARDER_DATA/engines/<host>/ first, and every engine carries its replica id in its arguments: a worker killed at
 * any line leaves an engine that the next worker finds and adopts.
 */
export async function createProcessDriver(options: ProcessDriverOptions): Promise<Driver> {
  const home = resolve(options.dataDir, 'engines', hostname());
  await mkdir(home, { recursive: true, mode: 0o700 });
  const node = `${hostname()}:${await nodeId(join(home, 'node-id'))}`;
  return new ProcessDriver(home, node, options);
}

async function nodeId(file: string): Promise<string> {
  await writeFile(file, randomBytes(4).toString('hex'), { flag: 'wx' }).catch(() => {});
  for (;;) {
    const id = await readFile(file, 'utf8');
    if (id.length === 8) return id;
    await sleep(10); // another worker is writing it at this moment
  }
}

class ProcessDriver implements Driver {
  readonly node: string;
  readonly #home: string;
  readonly #options: ProcessDriverOptions;
  #listener: () => void = () => {};
  /** Started by this process, and how they ended not yet written down. */
  readonly #children = new Set<string>();
  #scan = { atMs: 0, found: new Map<string, ProcessIdentity>() };

  constructor(home: string, node: string, options: ProcessDriverOptions) {
    this.#home = home;
    this.node = node;
    this.#options = options;
  }

  onExit(listener: () => void): void {
    this.#listener = listener;
  }

  async start(spec: ReplicaSpec): Promise<void> {
    const { replicaId, endpointId, generation } = spec;
    const record: StartRecord = { replicaId, endpointId, generation, process: null, exit: null };
    if (!(await this.#claim(record))) return;
    await failpoint('engine.before-spawn');
    const log = await open(this.#file(replicaId, 'log'), 'a', 0o600);
    try {
      const child = spawn(process.execPath, this.#argv(spec), {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        cwd: this.#home,
        env: { ...environmentForOthers(), LARDER_ENGINE_TOKEN: spec.token },
      });
      const exited = new Promise<EngineExit>((done) => {
        child.once('error', () => done({ code: 127, signal: null }));
        child.once('exit', (code, signal) => done({ code, signal }));
      });
      this.#children.add(replicaId);
      child.unref();
      await failpoint('engine.spawned');
      const born = child.pid === undefined ? null : await bornAt(child.pid);
      if (child.pid !== undefined && born !== null)
        await this.#write({ ...record, process: { pid: child.pid, born } });
      void exited.then((exit) => this.#ended(replicaId, exit));
    } finally {
      await log.close();
    }
  }

  async observe(): Promise<FoundEngine[]> {
    const names = (await readdir(this.#home)).filter((name) => /^[0-9a-f]{24}\.json$/.test(name));
    const records = await Promise.all(names.map((name) => this.#read(name.slice(0, 24))));
    const known = records.filter((record) => record !== null);
    const scan = await this.#scanProcesses(known.some((r) => r.process === null && r.exit === null));
    const engines = await Promise.all(known.map((record) => this.#describe(record, scan)));
    const recorded = new Set(known.map((r) => r.replicaId));
    const unrecorded = [...scan].filter(([id]) => !recorded.has(id));
    return [
      ...engines,
      ...unrecorded.map(([replicaId, { pid }]) => ({
        replicaId,
        endpointId: '',
        generation: 0,
        alive: true,
        pid,
        url: null,
        exit: null,
      })),
    ];
  }

  async stop(replicaId: string, graceMs: number): Promise<void> {
    const engine = await this.#find(replicaId);
    if (engine === null) return;
    signalGroup(engine.pid, 'SIGTERM');
    if (!(await this.#isGone(engine, graceMs))) {
      signalGroup(engine.pid, 'SIGKILL');
      if (!(await this.#isGone(engine, KILL_MS))) throw new Error(`engine ${replicaId} does not die`);
    }
    signalGroup(engine.pid, 'SIGKILL'); // what the leader left behind in its group
    this.#scan.atMs = 0;
  }

  async forget(replicaId: string): Promise<void> {
    for (const kind of ['port', 'log', 'log.at', 'json'])
      await rm(this.#file(replicaId, kind), { force: true });
  }

  async takeLog(replicaId: string, sink: (lines: string[]) => Promise<void>): Promise<void> {
    await takeLogLines(this.#file(replicaId, 'log'), sink);
  }

  #argv(spec: ReplicaSpec): string[] {
    return [
      this.#options.engines[spec.engine],
      `--replica=${spec.replicaId}`,
      `--home=${this.#home}`,
      `--model=${spec.modelPath}`,
      `--model-name=${spec.modelName}`,
      `--port-file=${this.#file(spec.replicaId, 'port')}`,
      `--threads=${this.#options.threads}`,
      `--context=${spec.spec.contextSize}`,
      `--parallel=${spec.spec.parallel}`,
    ];
  }

  async #describe(record: StartRecord, scan: Map<string, ProcessIdentity>): Promise<FoundEngine> {
    const { replicaId, endpointId, generation, exit } = record;
    const engine = record.process ?? scan.get(replicaId) ?? null;
    const alive =
      exit === null &&
      (this.#children.has(replicaId) ||
        (engine ? await isAlive(engine) : await this.#isYoung(this.#file(replicaId, 'json'))));
    const url = alive ? await this.#urlOf(replicaId, engine?.pid ?? null) : null;
    return { replicaId, endpointId, generation, alive, pid: engine?.pid ?? null, url, exit };
  }

  async #find(replicaId: string): Promise<ProcessIdentity | null> {
    const recorded = (await this.#read(replicaId))?.process;
    if (recorded) return (await isAlive(recorded)) ? recorded : null;
    return (await this.#scanProcesses(true)).get(replicaId) ?? null;
  }

  async #scanProcesses(now: boolean): Promise<Map<string, ProcessIdentity>> {
    if (!now && performance.now() - this.#scan.atMs < FULL_SCAN_MS) return this.#scan.found;
    const found = await findByArguments([`--home=${this.#home}`]);
    const byReplica = found.flatMap((p): [string, ProcessIdentity][] => {
      const id = p.args.find((arg) => arg.startsWith('--replica='))?.slice('--replica='.length);
      return id && REPLICA_ID.test(id) ? [[id, { pid: p.pid, born: p.born }]] : [];
    });
    this.#scan = { atMs: performance.now(), found: new Map(byReplica) };
    return this.#scan.found;
  }

  async #urlOf(replicaId: string, pid: number | null): Promise<string | null> {
    const text = await readFile(this.#file(replicaId, 'port'), 'utf8').catch(() => null);
    if (text === null) return null;
    const said = JSON.parse(text) as { pid: number; port: number };
    return pid === null || said.pid === pid ? `http://127.0.0.1:${said.port}` : null;
  }

  async #isYoung(file: string): Promise<boolean> {
    const info = await stat(file).catch(() => null);
    return info !== null && Date.now() - info.mtimeMs < SPAWN_MS;
  }

  async #isGone(engine: ProcessIdentity, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (await isAlive(engine)) {
      if (performance.now() > deadline) return false;
      await sleep(20);
    }
    return true;
  }

  async #ended(replicaId: string, exit: EngineExit): Promise<void> {
    const record = await this.#read(replicaId).catch(() => null);
    if (record) await this.#write({ ...record, exit }).catch(() => {});
    this.#children.delete(replicaId);
    this.#listener();
  }

  async #read(replicaId: string): Promise<StartRecord | null> {
    const text = await readFile(this.#file(replicaId, 'json'), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as StartRecord);
  }

  /** Writes the first record; false when this replica was ever started here. Whole or not there at all. */
  async #claim(record: StartRecord): Promise<boolean> {
    const file = this.#file(record.replicaId, 'json');
    const fresh = await this.#writeFresh(record);
    try {
      await link(fresh, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(fresh, { force: true });
    }
  }

  async #write(record: StartRecord): Promise<void> {
    await rename(await this.#writeFresh(record), this.#file(record.replicaId, 'json'));
  }

  async #writeFresh(record: StartRecord): Promise<string> {
    const fresh = `${this.#file(record.replicaId, 'json')}.${randomBytes(4).toString('hex')}`;
    await writeFile(fresh, JSON.stringify(record), { flush: true });
    return fresh;
  }

  #file(replicaId: string, kind: string): string {
    if (!REPLICA_ID.test(replicaId)) throw new Error('not a replica id');
    return join(this.#home, `${replicaId}.${kind}`);
  }
}

const isAlive = async (engine: ProcessIdentity) => (await bornAt(engine.pid)) === engine.born;
