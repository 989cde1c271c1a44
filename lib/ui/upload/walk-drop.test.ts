import { expect, test } from 'vitest';
import { chosenOf, type DropEntry, MAX_FILES, namePasted, walkDropped } from './walk-drop.ts';

const file = (name: string): DropEntry =>
  Object.assign(
    { name, isFile: true, isDirectory: false },
    { file: (found: (file: File) => void) => found(new File(['x'], name)) },
  );

/** A folder that gives its entries a hundred at a time, as browsers do. */
function folder(name: string, entries: DropEntry[]): DropEntry {
  const createReader = () => {
    let at = 0;
    return {
      readEntries(found: (some: DropEntry[]) => void) {
        found(entries.slice(at, at + 100));
        at += 100;
      },
    };
  };
  return Object.assign({ name, isFile: false, isDirectory: true }, { createReader });
}

const walk = (...entries: DropEntry[]) => walkDropped(entries.map((entry) => ({ entry })));

test('a dropped folder gives every file below it with its path, beyond the first hundred, and leaves junk out', async () => {
  const many = Array.from({ length: 250 }, (_, i) => file(`${i}.txt`));
  const inside = [...many, file('.DS_Store'), folder('empty', []), folder('.git', [file('config')])];
  const chosen = await walk(folder('model', [folder('deep', inside)]), file('README.md'));
  expect(chosen.files.length).toBe(251);
  expect(chosen.files.slice(248).map((each) => each.source)).toEqual([
    'model/deep/248.txt',
    'model/deep/249.txt',
    'README.md',
  ]);
  expect([chosen.junk, chosen.unreadable, chosen.isCut]).toEqual([2, 0, false]);
});

test('an empty folder gives nothing; a folder without end and one that cannot be read stop the walk nowhere', async () => {
  expect((await walk(folder('empty', []))).files).toEqual([]);
  const endless: DropEntry = folder('loop', []);
  Object.assign(endless, {
    createReader: () => {
      let given = false;
      return {
        readEntries(found: (some: DropEntry[]) => void) {
          found(given ? [] : [endless]);
          given = true;
        },
      };
    },
  });
  const locked = folder('locked', []);
  Object.assign(locked, {
    createReader: () => ({
      readEntries: (_: unknown, failed: (e: unknown) => void) => failed(new Error('no')),
    }),
  });
  const chosen = await walk(endless, locked, file('a.txt'));
  expect(chosen.files.map((each) => each.source)).toEqual(['a.txt']);
  expect(chosen.unreadable).toBe(2);
});

test('more files than a page can hold are cut, and it is said', async () => {
  const many = Array.from({ length: MAX_FILES + 5 }, (_, i) => file(`${i}`));
  const chosen = await walk(folder('big', many));
  expect([chosen.files.length, chosen.isCut]).toEqual([MAX_FILES, true]);
  const picked = chosenOf(Array.from({ length: MAX_FILES + 1 }, (_, i) => new File([], `${i}`)));
  expect([picked.files.length, picked.isCut]).toEqual([MAX_FILES, true]);
});

test('pictures without a name are named by the time they were pasted, files keep theirs', () => {
  const names = ['image.png', 'image.jpeg', 'my image.png', 'notes.txt'];
  const pasted = namePasted(
    chosenOf(names.map((name) => new File([], name))),
    Date.UTC(2026, 10, 26, 9, 5, 7),
  );
  expect(pasted.files.map((each) => each.source)).toEqual([
    'pasted-2026-11-26-090507.000.png',
    'pasted-2026-11-26-090507.000-2.jpeg',
    'my image.png',
    'notes.txt',
  ]);
});
