import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configSchema } from '#lib/base/config.ts';

const HEAD = '| key | default | what it is for |\n|---|---|---|\n';

/** The configuration table as the README must show it, one row a key. */
function table(): string {
  const defaults: Record<string, unknown> = configSchema.parse({ DATABASE_URL: 'postgresql://' });
  const rows = Object.entries(configSchema.shape).map(([key, schema]) => {
    const value = key === 'DATABASE_URL' ? undefined : defaults[key];
    const shown = value === undefined || value === '' ? '' : `\`${value}\``;
    return `| \`${key}\` | ${shown} | ${schema.description} |`;
  });
  return `${HEAD}${rows.join('\n')}\n`;
}

test('the README lists every configuration key with its default and reason (LARDER_UPDATE_DOCS=1 rewrites it)', () => {
  const readme = readFileSync('README.md', 'utf8');
  const start = readme.indexOf(HEAD);
  const rest = readme.slice(start + HEAD.length);
  const old = HEAD + rest.slice(0, rest.search(/^(?!\|)/m));
  if (process.env.LARDER_UPDATE_DOCS === '1')
    writeFileSync(
      'README.md',
      readme.replace(old, () => table()),
    );
  expect(readFileSync('README.md', 'utf8')).toContain(table());
});
