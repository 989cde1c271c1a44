/** Every command with what it does, in the order of the help text. */
export const COMMANDS = {
  start: 'install, migrate, build once, run server and worker until Ctrl-C',
  test: 'install what the tests need and run all of them (npm test -- FILE… runs only these)',
  'test:slow': 'the tests that take minutes: launcher, big files, faults',
  dev: 'like start, with pages rebuilt as you edit',
  build: 'build the pages',
  worker: 'one more worker for the configured hub',
  bench: 'measure the promised ratios (npm run bench -- resolve upload gateway)',
  gc: 'delete what nothing reaches any more (--dry-run, --json, --now, --drop-pins, --force)',
  check:
    'prove that database, git objects and store agree (--sample 5%, --full, --fix, --json, --rebuild-xet)',
  backup:
    'npm run backup -- DIR: database and objects into a folder, while the hub runs (--keep N, --verify, --no-objects)',
  restore: 'npm run restore -- DIR: bring a backup back (--list, --backup NAME, --replace)',
  doctor: 'name what is broken in this installation and how to mend it',
};

export function usage() {
  const lines = Object.entries(COMMANDS).map(([name, text]) => `  ${name.padEnd(10)} ${text}`);
  return `Usage: npm start [-- --port 4000 --data DIR]
       npm test · npm run dev | build | worker | bench | check | gc | backup | restore | doctor

${lines.join('\n')}

Flags:
  --port N    public port (PORT; 3000)
  --data DIR  folder for everything local (LARDER_DATA; ./data)
All other settings are environment variables or lines of a .env file: see .env.example.
`;
}
