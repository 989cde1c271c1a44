#!/usr/bin/env node
// Larder's one command: node bin/larder.mjs <start|test|dev|build|worker|bench|check|backup|restore|doctor> [flags]
// Plain JavaScript without dependencies: this file and its neighbours *.mjs run on any Node from 18 before
// anything is installed. They find a fit Node, install, and hand over to launcher/main.ts.
import { fileURLToPath } from 'node:url';
import { installDependencies } from './launcher/install.mjs';
import { fitNode } from './launcher/node.mjs';
import { runWith } from './launcher/run.mjs';
import { COMMANDS, usage } from './launcher/usage.mjs';

const [command = 'start', ...rest] = process.argv.slice(2);
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

if (command === 'help' || command === '--help' || rest.includes('--help')) {
  process.stdout.write(usage());
  process.exit(0);
}
if (!(command in COMMANDS)) {
  process.stderr.write(`larder: there is no command "${command}"\n\n${usage()}`);
  process.exit(2);
}

try {
  const node = await fitNode();
  await installDependencies(node);
  process.exitCode = await runWith(node, ['bin/launcher/main.ts', command, ...rest]);
} catch (error) {
  process.stderr.write(`larder: ${error.message}\n`);
  process.exitCode = 1;
}
