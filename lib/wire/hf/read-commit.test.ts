import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CommitOperation } from '#lib/repos/types.ts';
import { commitOfJson, readCommit } from './read-commit.ts';
import { readLines } from './read-lines.ts';

async function* chunks(text: string, size = 7): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function all(text: string): Promise<CommitOperation[]> {
  const { operations } = await readCommit(chunks(text));
  const list: CommitOperation[] = [];
  for await (const operation of operations) list.push(operation);
  return list;
}

const header = '{"key":"header","value":{"summary":"s","description":"d"}}\n';
const OID = 'a'.repeat(64);

test('each kind of line becomes its operation, in order, without a trailing newline too', async () => {
  const body = `${header}{"key":"file","value":{"path":"a.txt","content":"aGk=","encoding":"base64"}}
{"key":"file","value":{"path":"b.txt","content":"hé"}}
{"key":"lfsFile","value":{"path":"m.bin","algo":"sha256","oid":"${OID}","size":5}}

{"key":"deletedFile","value":{"path":"x"}}
{"key":"deletedFolder","value":{"path":"d/"}}
{"key":"deletedEntry","value":{"path":"e"}}`;
  expect(await all(body)).toEqual([
    { kind: 'file', path: 'a.txt', content: Buffer.from('hi') },
    { kind: 'file', path: 'b.txt', content: Buffer.from('hé') },
    { kind: 'lfsFile', path: 'm.bin', sha256: OID, sizeBytes: 5 },
    { kind: 'deleteFile', path: 'x' },
    { kind: 'deleteFolder', path: 'd/' },
    { kind: 'deleteEntry', path: 'e' },
  ]);
});

test.each([
  ['{"key":"file"', /line 2 is not valid JSON/],
  ['[]', /line 2 must be an object/],
  ['{"key":"what","value":{"path":"x"}}', /line 2: unknown key "what"/],
  ['{"key":"file","value":{"content":"x"}}', /line 2: "path"/],
  ['{"key":"file","value":{"path":{"not":""},"content":"x"}}', /line 2: "path"/],
  ['{"key":"file","value":{"path":"a","content":"a$b=","encoding":"base64"}}', /line 2: .*not valid base64/],
  ['{"key":"file","value":{"path":"a","content":"x","encoding":"rot13"}}', /line 2: "encoding"/],
  ['{"key":"lfsFile","value":{"path":"a","oid":"abc"}}', /line 2: "oid"/],
  [`{"key":"lfsFile","value":{"path":"a","oid":"${OID}","size":-1}}`, /line 2: "size"/],
  ['', /Add a line with the key `lfsFile`, `file` or `deletedFile`/],
])('a broken second line %s is refused by its number', async (line, message) => {
  await expect(all(header + line)).rejects.toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(message),
  });
});

test('a body without a header line is refused', async () => {
  await expect(readCommit(chunks('{"key":"file","value":{"path":"a","content":""}}'))).rejects.toThrow(
    /line 1/,
  );
  await expect(readCommit(chunks(''))).rejects.toThrow(/Add a line/);
});

test('the older JSON form gives the same operations', async () => {
  const { header: head, operations } = commitOfJson({
    summary: 's',
    files: [{ path: 'a', content: 'aGk=', encoding: 'base64' }],
    lfsFiles: [{ path: 'b', oid: OID, algo: 'sha256' }],
    deletedEntries: [{ path: 'c' }],
  });
  const list: CommitOperation[] = [];
  for await (const operation of operations) list.push(operation);
  expect(head).toEqual({ summary: 's', description: '', parentCommit: null });
  expect(list.map((o) => o.kind)).toEqual(['file', 'lfsFile', 'deleteEntry']);
  expect(() => commitOfJson({ summary: 's' })).toThrow(/Add a line/);
});

test('lines come out the same however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[^\n]{0,30}$/), { maxLength: 20 }),
      fc.integer({ min: 1, max: 17 }),
      async (lines, size) => {
        const text = lines.map((line) => `${line}\n`).join('');
        const read: string[] = [];
        const limits = { maxLineBytes: 1000, maxTotalBytes: 100_000 };
        for await (const line of readLines(chunks(text, size), limits)) read.push(line.toString());
        expect(read).toEqual(lines.map((line) => Buffer.from(line).toString()));
      },
    ),
  );
});

test('a line or a body over its limit is refused before it is held', async () => {
  const drain = async (text: string, maxLineBytes: number, maxTotalBytes: number) => {
    for await (const _ of readLines(chunks(text), { maxLineBytes, maxTotalBytes }));
  };
  await expect(drain(`ok\n${'x'.repeat(50)}`, 20, 1000)).rejects.toThrow(/line 2 is longer than 20 bytes/);
  await expect(drain('a\n'.repeat(50), 20, 60)).rejects.toThrow(/larger than 60 bytes/);
});
