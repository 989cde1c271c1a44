import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Config } from '#lib/base/config.ts';
import type { Driver } from '#lib/endpoints/drivers/driver.ts';
import { createProcessDriver } from '#lib/endpoints/drivers/process-driver.ts';

/** What runs the engines of this installation: processes on this machine. */
export function createDriver(config: Config): Promise<Driver> {
  return createProcessDriver({
    dataDir: config.LARDER_DATA,
    threads: config.LARDER_ENGINE_THREADS || Math.max(1, availableParallelism() - 1),
    engines: { 'llama-cpp-node': fileURLToPath(new URL('./engines/llama-cpp-node.ts', import.meta.url)) },
  });
}
