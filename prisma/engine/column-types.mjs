import { ColumnTypeEnum as T } from '@prisma/driver-adapter-utils';
import { parse as parseArray } from 'postgres-array';

const asIs = (text) => text;
const toBoolean = (text) => text === 't';
const toBytes = (text) => [...Buffer.from(text.slice(2), 'hex')]; // \x…
const toInstant = (text) => new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString();

/**
 * Postgres type (pg_type.oid) to the engine's column type and the way from the text format to its value. The
 * engine reads the catalogs, so the catalogs' own types (name, "char", oid, regclass …) must be here; the
 * adapters that Prisma ships for applications lack them.
 */
const TYPES = new Map([
  [16, [T.Boolean, toBoolean]],
  [17, [T.Bytes, toBytes]],
  [18, [T.Character, asIs]], // "char"
  [20, [T.Int64, asIs]],
  [21, [T.Int32, Number]],
  [23, [T.Int32, Number]],
  [26, [T.Int64, asIs]], // oid
  [114, [T.Json, asIs]],
  [700, [T.Float, Number]],
  [701, [T.Double, Number]],
  [1000, [T.BooleanArray, (text) => parseArray(text, toBoolean)]],
  [1002, [T.CharacterArray, parseArray]], // "char"[]
  [1003, [T.TextArray, parseArray]], // name[]
  [1005, [T.Int32Array, (text) => parseArray(text, Number)]],
  [1007, [T.Int32Array, (text) => parseArray(text, Number)]],
  [1009, [T.TextArray, parseArray]],
  [1015, [T.TextArray, parseArray]],
  [1016, [T.Int64Array, parseArray]],
  [1028, [T.Int64Array, parseArray]], // oid[]
  [1082, [T.Date, asIs]],
  [1114, [T.DateTime, toInstant]],
  [1184, [T.DateTime, toInstant]],
  [1700, [T.Numeric, asIs]],
  [2950, [T.Uuid, asIs]],
  [3802, [T.Json, asIs]],
]);

const TEXT = [T.Text, asIs];

/** Turns a result of pg (rows as arrays of Postgres's text format) into the engine's result set. */
export function toResultSet({ fields, rows }) {
  const types = fields.map(({ dataTypeID }) => TYPES.get(dataTypeID) ?? TEXT);
  return {
    columnNames: fields.map(({ name }) => name),
    columnTypes: types.map(([type]) => type),
    rows: rows.map((row) => row.map((text, i) => (text === null ? null : types[i][1](text)))),
  };
}
