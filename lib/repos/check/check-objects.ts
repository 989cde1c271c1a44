import type { App } from '#lib/identity/context.ts';
import {
  EXAMINED_COLUMNS,
  examineBytes,
  examineSize,
  type ObjectToExamine,
} from '../files/examine-object.ts';
import { type Damage, markFound, markLost } from '../files/mark-lost.ts';
import { Finding, type FindingCode, type Fix } from './finding.ts';

const BATCH = 1000;
const HEADS_AT_ONCE = 8;
/** Whole objects stream, a xorb takes 6 MB: bounded by the disk and the store, not by memory. */
const HASHES_AT_ONCE = 4;

/** How many of the objects are read: a share between 0 (none) and 1 (all). */
export interface Bytes {
  readonly share: number;
}

/** How far hashing has come. */
export interface Progress {
  readonly objects: number;
  readonly bytes: number;
}

type Row = ObjectToExamine & { state: 'live' | 'lost'; damage: string | null; is_needed: boolean };

const OBJECTS = `SELECT ${EXAMINED_COLUMNS}, o.state, o.damage,
    (EXISTS (SELECT FROM repo_file e JOIN repo r ON r.id = e.repo_id AND r.deleted_at IS NULL WHERE e.object_id = o.id)
     OR EXISTS (SELECT FROM xorb x JOIN xet_file_xorb f ON f.xorb_id = x.id WHERE x.object_id = o.id)) AS is_needed
  FROM stored_object o WHERE o.id > $1 AND o.state IN ('live', 'lost') ORDER BY o.id LIMIT ${BATCH}`;

const CODES: Readonly<Record<Damage, FindingCode>> = {
  missing: 'object-missing',
  size: 'object-size',
  hash: 'object-damaged',
};

/** A share of the objects, spread evenly and other ones each time. */
const isChosen = ({ share }: Bytes) => share >= 1 || Math.random() < share;

function fixLost(app: App, row: Row, damage: Damage): Fix {
  return {
    key: `lost:${row.id}`,
    what: `take object ${row.key} out of use, so that a re-upload heals it`,
    run: async () => {
      // Stores have been seen to lie once: what is about to be given up is looked at a second time.
      const again = damage === 'hash' ? await examineBytes(app, row, never) : await examineSize(app, row);
      if (again === null) return 'it is whole now: left alone';
      return (await markLost(app, row.id, damage)) ? 'taken out of use' : 'it was out of use already';
    },
  };
}

const never = new AbortController().signal;

function describe(row: Row, damage: Damage, sizeBytes: number | null): string {
  if (damage === 'missing') return 'is missing in the store';
  if (damage === 'size') return `has ${sizeBytes ?? 'other'} bytes in the store instead of ${row.size_bytes}`;
  return `does not hold the bytes that were stored (${row.xorb_hash ? 'xorb' : 'file'})`;
}

/** A lost object that is there again, or that is still missed; of no interest once nothing needs it. */
async function checkLost(app: App, row: Row): Promise<Finding | null> {
  if (!row.is_needed) return null;
  const subject = `object ${row.key}`;
  const isWhole = (await examineSize(app, row)) === null && (await examineBytes(app, row, never)) === null;
  if (isWhole)
    return new Finding('object-back', subject, 'was lost and is whole again', {
      key: `found:${row.id}`,
      what: `take object ${row.key} into use again`,
      run: async () => ((await markFound(app, row.id)) ? 'in use again' : 'it is in use already'),
    });
  return new Finding('object-lost', subject, `is lost (${row.damage ?? 'missing'})`);
}

async function checkObject(
  app: App,
  row: Row,
  bytes: Bytes,
  tell: (row: Row) => void,
): Promise<Finding | null> {
  if (row.state === 'lost') return checkLost(app, row);
  const size = await examineSize(app, row);
  let damage = size?.damage ?? null;
  if (damage === null && isChosen(bytes)) {
    damage = await examineBytes(app, row, never);
    if (damage === null)
      await app.db.query('UPDATE stored_object SET scrubbed_at = now() WHERE id = $1', [row.id]);
    tell(row);
  }
  if (damage === null || !(await isStillLive(app, row))) return null;
  const text = describe(row, damage, size?.sizeBytes ?? null);
  return new Finding(CODES[damage], `object ${row.key}`, text, fixLost(app, row, damage));
}

/** An object may have been deleted rightly between the reading of its row and the look at the store. */
async function isStillLive(app: App, row: Row): Promise<boolean> {
  const { rows } = await app.db.query(`SELECT 1 FROM stored_object WHERE id = $1 AND state = 'live'`, [
    row.id,
  ]);
  return rows.length === 1;
}

/**
 * Every object that a row says is in use is in the store, with its size, and (a share of them, or all) with its bytes.
 * Of lost ones it tells which are missed, and which are back.
 */
export async function* checkObjects(
  app: App,
  bytes: Bytes,
  onProgress: (progress: Progress) => void = () => {},
): AsyncGenerator<Finding> {
  const progress = { objects: 0, bytes: 0 };
  const tell = (row: Row) => {
    progress.objects++;
    progress.bytes += row.size_bytes;
    onProgress(progress);
  };
  const atOnce = bytes.share > 0 ? HASHES_AT_ONCE : HEADS_AT_ONCE;
  for (let last = 0; ; ) {
    const { rows } = await app.db.query<Row>(OBJECTS, [last]);
    for (let at = 0; at < rows.length; at += atOnce) {
      const slice = rows.slice(at, at + atOnce);
      for (const finding of await Promise.all(slice.map((row) => checkObject(app, row, bytes, tell))))
        if (finding !== null) yield finding;
    }
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}
