import { transaction } from '#lib/base/db.ts';
import { hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { RegisteredFile } from '../files/xet/register-files.ts';
import { recordShardLog, storeShardLog } from '../files/xet/shard-log.ts';
import { unpackTerms } from '../files/xet/terms.ts';
import type { Fix } from './finding.ts';

const FILES_PER_LOG = 200;

interface Row {
  id: number;
  domain_id: number;
  repo_id: RepoId;
  created_by: string;
  hash: Buffer;
  sha256: Buffer;
  size_bytes: number;
  terms: Buffer;
  sha256_state: 'verified' | 'unverified';
}

/** The next files of one domain and repo that no log tells of. */
const UNLOGGED = `WITH unlogged AS (
    SELECT x.id, x.domain_id, e.repo_id, e.created_by, x.hash, x.sha256, x.size_bytes, x.terms, x.sha256_state
    FROM xet_file x JOIN LATERAL (
      SELECT e.repo_id, e.created_by FROM repo_file e JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL
      WHERE e.xet_file_id = x.id ORDER BY e.repo_id LIMIT 1) e ON true
    WHERE x.id > $1 AND x.sha256_state IN ('verified', 'unverified')
      AND NOT EXISTS (SELECT FROM xet_shard_file l JOIN xet_shard s ON s.id = l.shard_id
                      JOIN stored_object o ON o.id = s.object_id WHERE l.file_id = x.id AND o.state = 'live')
    ORDER BY x.id LIMIT ${FILES_PER_LOG})
  SELECT * FROM unlogged ORDER BY domain_id, repo_id, id`;

/** Rows cut into runs of one domain and repo. */
function* runsOf(rows: readonly Row[]): Generator<Row[]> {
  let run: Row[] = [];
  for (const row of rows) {
    if (run[0] !== undefined && (run[0].domain_id !== row.domain_id || run[0].repo_id !== row.repo_id)) {
      yield run;
      run = [];
    }
    run.push(row);
  }
  if (run.length > 0) yield run;
}

async function writeLog(app: App, rows: readonly Row[]): Promise<void> {
  const [first] = rows as [Row];
  const owner = { domainId: first.domain_id, repoId: first.repo_id, userId: first.created_by };
  const files = rows.map(
    (row): RegisteredFile => ({
      hash: row.hash,
      sha256: hexOf<Sha256>(row.sha256),
      sizeBytes: row.size_bytes,
      terms: unpackTerms(row.terms),
      state: row.sha256_state,
      asked: [],
    }),
  );
  const log = await storeShardLog(app, owner, files);
  const ids = rows.map((row) => row.id);
  await transaction(app.db, (tx) => recordShardLog(tx, owner, log, ids));
}

/** Writes logs of the Xet files that none tells of: registered before there were logs, or whose log was lost. */
export function fixMissingLogs(app: App): Fix {
  return {
    key: 'logs',
    what: 'write logs of the Xet files that none tells of',
    run: async () => {
      let written = 0;
      for (let last = 0; ; ) {
        const { rows } = await app.db.query<Row>(UNLOGGED, [last]);
        for (const run of runsOf(rows)) await writeLog(app, run);
        written += rows.length;
        last = Math.max(last, ...rows.map((row) => row.id));
        if (rows.length < FILES_PER_LOG) return `wrote logs of ${written} files`;
      }
    },
  };
}
