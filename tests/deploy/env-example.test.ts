import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configSchema } from '#lib/base/config.ts';

const WIDTH = 100;
const HEAD =
  'Settings of Larder: copy this file to .env and take the # away from what you set. The environment wins over .env. Nothing is required: without DATABASE_URL and S3_ENDPOINT, npm start runs its own Postgres and keeps objects as files.';

/** Every key with its reason and its default, all commented out. */
function envExample(): string {
  const defaults: Record<string, unknown> = configSchema.parse({ DATABASE_URL: 'postgresql://' });
  const blocks = Object.entries(configSchema.shape).map(([key, schema]) => {
    const value = key === 'DATABASE_URL' ? '' : (defaults[key] ?? '');
    return `${wrap(schema.description ?? '')}\n# ${key}=${String(value)}`;
  });
  return `${wrap(HEAD)}\n\n${blocks.join('\n\n')}\n`;
}

function wrap(text: string): string {
  const lines = ['#'];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last.length + word.length + 1 > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

test('.env.example is what the configuration schema says (LARDER_UPDATE_DOCS=1 rewrites it)', () => {
  if (process.env.LARDER_UPDATE_DOCS === '1') writeFileSync('.env.example', envExample());
  expect(readFileSync('.env.example', 'utf8')).toBe(envExample());
});
