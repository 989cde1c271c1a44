import { hubError } from '#lib/base/errors.ts';
import { parseSha256 } from '#lib/base/ids.ts';
import { isJsonObject, type JsonObject } from '#lib/base/json.ts';
import type { CommitHeader, CommitOperation } from '#lib/repos/types.ts';
import { decodeContent } from './decode-content.ts';
import { readLines } from './read-lines.ts';

export interface CommitBody {
  readonly header: CommitHeader;
  readonly operations: AsyncIterable<CommitOperation>;
}

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const MAX_BODY_BYTES = 1024 * 1024 * 1024;
const MAX_OPERATIONS = 50_000;
const NO_OPERATION = 'Add a line with the key `lfsFile`, `file` or `deletedFile`';

/**
 * Reads the NDJSON body of a commit as a stream: the header at once, each operation when it is asked for, one
 * line in memory at a time. Every error is invalid_input or too_large and names the line.
 */
export async function readCommit(body: AsyncIterable<Buffer>): Promise<CommitBody> {
  const lines = parsedLines(body);
  const first = await lines.next();
  if (first.done) throw hubError('invalid_input', NO_OPERATION);
  const { key, value, at } = first.value;
  if (key !== 'header') throw hubError('invalid_input', `${at}: the first line must have the key "header"`);
  return { header: commitHeader(value, at), operations: operationsOf(lines) };
}

/** The older JSON form: {summary, description, parentCommit, files[], lfsFiles[], deletedEntries[]}. */
export function commitOfJson(json: unknown): CommitBody {
  if (!isJsonObject(json)) throw hubError('invalid_input', 'the request body must be a JSON object');
  const operations: CommitOperation[] = [];
  const add = (name: string, key: string) => {
    const list = json[name];
    if (list === undefined || list === null) return;
    if (!Array.isArray(list)) throw hubError('invalid_input', `"${name}" must be an array`);
    list.forEach((value, i) => operations.push(...operationOf(key, value, `${name}[${i}]`)));
  };
  add('files', 'file');
  add('lfsFiles', 'lfsFile');
  add('deletedEntries', 'deletedEntry');
  add('deletedFiles', 'deletedFile');
  add('deletedFolders', 'deletedFolder');
  if (operations.length === 0) throw hubError('invalid_input', NO_OPERATION);
  return { header: commitHeader(json, 'the body'), operations: fromList(operations) };
}

async function* fromList(operations: CommitOperation[]): AsyncGenerator<CommitOperation> {
  yield* operations;
}

interface Line {
  key: string;
  value: unknown;
  at: string;
}

async function* parsedLines(body: AsyncIterable<Buffer>): AsyncGenerator<Line, void> {
  let number = 0;
  for await (const bytes of readLines(body, {
    maxLineBytes: MAX_LINE_BYTES,
    maxTotalBytes: MAX_BODY_BYTES,
  })) {
    const at = `line ${++number}`;
    if (number > MAX_OPERATIONS + 1)
      throw hubError('too_large', `a commit may hold at most ${MAX_OPERATIONS} operations`);
    const text = bytes.toString('utf8');
    if (text.trim() === '') continue;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw hubError('invalid_input', `${at} is not valid JSON`);
    }
    if (!isJsonObject(json) || typeof json.key !== 'string')
      throw hubError('invalid_input', `${at} must be an object with "key" and "value"`);
    yield { key: json.key, value: json.value, at };
  }
}

async function* operationsOf(lines: AsyncGenerator<Line, void>): AsyncGenerator<CommitOperation> {
  let count = 0;
  for await (const { key, value, at } of lines) {
    for (const operation of operationOf(key, value, at)) {
      count++;
      yield operation;
    }
  }
  if (count === 0) throw hubError('invalid_input', NO_OPERATION);
}

function commitHeader(value: unknown, at: string): CommitHeader {
  if (!isJsonObject(value)) throw hubError('invalid_input', `${at}: "value" must be an object`);
  const text = (key: string): string => {
    const item = value[key];
    if (item === undefined || item === null) return '';
    if (typeof item !== 'string') throw hubError('invalid_input', `${at}: "${key}" must be a string`);
    return item;
  };
  const parent = text('parentCommit');
  return {
    summary: text('summary'),
    description: text('description'),
    parentCommit: parent === '' ? null : parent,
  };
}

/** One line as operations: a rename (`oldPath`) is a deletion and an addition, anything unknown is refused. */
function operationOf(key: string, value: unknown, at: string): CommitOperation[] {
  if (!isJsonObject(value)) throw hubError('invalid_input', `${at}: "value" must be an object`);
  const path = requiredText(value, 'path', at);
  switch (key) {
    case 'file':
      return [...renamed(value, path), { kind: 'file', path, content: contentOf(value, at) }];
    case 'lfsFile':
      return [...renamed(value, path), lfsFile(value, path, at)];
    case 'deletedFile':
      return [{ kind: 'deleteFile', path }];
    case 'deletedFolder':
      return [{ kind: 'deleteFolder', path }];
    case 'deletedEntry':
      return [{ kind: 'deleteEntry', path }];
    default:
      throw hubError('invalid_input', `${at}: unknown key ${JSON.stringify(key.slice(0, 40))}`);
  }
}

function renamed(value: JsonObject, path: string): CommitOperation[] {
  return typeof value.oldPath === 'string' && value.oldPath !== path
    ? [{ kind: 'deleteFile', path: value.oldPath }]
    : [];
}

function lfsFile(value: JsonObject, path: string, at: string): CommitOperation {
  if (value.algo !== undefined && value.algo !== 'sha256')
    throw hubError('invalid_input', `${at}: "algo" must be sha256`);
  const sha256 = parseSha256(value.oid);
  if (!sha256) throw hubError('invalid_input', `${at}: "oid" must be a SHA-256 in 64 lower-case hex digits`);
  const size = value.size;
  if (size !== undefined && size !== null && !(Number.isSafeInteger(size) && (size as number) >= 0))
    throw hubError('invalid_input', `${at}: "size" must be a number of bytes`);
  return { kind: 'lfsFile', path, sha256, sizeBytes: typeof size === 'number' ? size : null };
}

function contentOf(value: JsonObject, at: string): Buffer {
  const { content, encoding } = value;
  if (typeof content !== 'string') throw hubError('invalid_input', `${at}: "content" must be a string`);
  if (encoding !== undefined && typeof encoding !== 'string')
    throw hubError('invalid_input', `${at}: "encoding" must be base64 or utf-8`);
  return decodeContent(content, encoding, at);
}

function requiredText(value: JsonObject, key: string, at: string): string {
  const item = value[key];
  if (typeof item !== 'string' || item === '')
    throw hubError('invalid_input', `${at}: "${key}" must be a non-empty string`);
  return item;
}
