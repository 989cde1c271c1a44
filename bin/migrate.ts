// Brings the database named by DATABASE_URL up to this version and ends: the first step of a deployment.
import { loadConfig } from '#lib/base/config.ts';
import { migrate } from '#lib/base/migrate.ts';

const applied = await migrate(loadConfig().DATABASE_URL);
process.stdout.write(`migrations applied: ${applied.join(', ') || 'none, up to date'}\n`);
