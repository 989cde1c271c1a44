import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';

/** The git binary in a repo of its own, deaf to the configuration of the machine. */
export class Git {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'larder-git-'));

  constructor(...initArguments: string[]) {
    this.run(['init', '-q', '-b', 'main', ...initArguments]);
  }

  /** Standard output; throws when git fails with another status than `allowed`. */
  run(args: string[], input: string | Buffer = '', allowed = 0): string {
    const { status, stdout, stderr } = spawnSync('git', args, {
      cwd: this.dir,
      input,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, HOME: this.dir, GIT_CONFIG_NOSYSTEM: '1' },
    });
    if (status !== 0 && status !== allowed) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** Standard output as bytes. */
  bytes(args: string[]): Buffer {
    const { status, stdout } = spawnSync('git', args, { cwd: this.dir, maxBuffer: 64 * 1024 * 1024 });
    if (status !== 0) throw new Error(`git ${args.join(' ')}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Object header of a pack: type and size, 4 and then 7 bits at a time (gitformat-pack(5)). */
function packHeader(kind: number, sizeBytes: number): Buffer {
  const bytes: number[] = [];
  let current = (kind << 4) | (sizeBytes & 15);
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(current | 128);
    current = rest & 127;
  }
  return Buffer.from([...bytes, current]);
}

/** Copies all objects and refs of a repo into a bare repo by way of a pack made of the rows as they are. */
export async function exportRepo(db: Db, repoId: RepoId): Promise<Git> {
  const { rows } = await db.query<{ kind: number; size: number; data: Buffer }>(
    'SELECT kind, size, data FROM git_object WHERE repo_id = $1',
    [repoId],
  );
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(rows.length, 8);
  const body = Buffer.concat([head, ...rows.flatMap((row) => [packHeader(row.kind, row.size), row.data])]);
  const git = new Git('--bare');
  git.run(
    ['index-pack', '--stdin', '--strict'],
    Buffer.concat([body, createHash('sha1').update(body).digest()]),
  );
  const refs = await db.query<{ name: string; oid: Buffer }>('SELECT name, oid FROM ref WHERE repo_id = $1', [
    repoId,
  ]);
  for (const ref of refs.rows) git.run(['update-ref', ref.name, ref.oid.toString('hex')]);
  return git;
}
