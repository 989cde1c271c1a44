// The second half of the launcher, on a fit Node with everything installed. One command, one exit code.
import { readOptions } from './options.ts';
import { say } from './terminal.ts';

const passingOn = (args: string[]) => readOptions(args, process.env, { passOn: true });

type Command = (args: string[]) => Promise<number>;

const COMMANDS: Record<string, Command> = {
  start: async (args) => (await import('./start.ts')).start(readOptions(args), { dev: false }),
  dev: async (args) => (await import('./start.ts')).start(readOptions(args), { dev: true }),
  build: async () => {
    const built = await (await import('./build.ts')).buildPages(say);
    say(built ? 'Built' : 'Up to date');
    return 0;
  },
  worker: async (args) => (await import('./program.ts')).runWorker(readOptions(args)),
  gc: async (args) => (await import('./program.ts')).runReclaim(passingOn(args)),
  check: async (args) => (await import('./program.ts')).runCheck(passingOn(args)),
  backup: async (args) => (await import('./program.ts')).runBackup(passingOn(args)),
  restore: async (args) => (await import('./program.ts')).runRestore(passingOn(args)),
  bench: async (args) => (await import('./program.ts')).runBench(args),
  doctor: async (args) => (await import('./doctor.ts')).doctor(readOptions(args)),
  test: async (args) => (await import('./test.ts')).runTests(args),
  'test:slow': async (args) => (await import('./test.ts')).runSlowTests(args),
};

const [name = '', ...args] = process.argv.slice(2);
try {
  const command = COMMANDS[name];
  if (!command) throw new Error(`no command ${name}`);
  process.exit(await command(args));
} catch (error) {
  process.stderr.write(`larder: ${(error as Error).message}\n`);
  process.exit(1);
}
