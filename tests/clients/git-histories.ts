import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { Git } from '#tests/repos/git-binary.ts';

const NAMES = ['a', 'b', 'a.b', 'a-', 'é', '😀', 'z z', '"', 'a\\b', '-x'];
const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const branch = fc.constantFrom('main', 'dev', 'feat/x', 'feat/y', 'é');
const tag = fc.constantFrom('v1', 'v1.0', 'rel/2', 'ü');
const content = fc.oneof(
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
);
const of = <K extends string, R extends object>(kind: K, more: { [P in keyof R]: fc.Arbitrary<R[P]> }) =>
  fc.record({ kind: fc.constant(kind), ...more }) as fc.Arbitrary<{ kind: K } & R>;

/** One thing that people do in a clone. */
const operation = fc.oneof(
  { weight: 6, arbitrary: of('write', { path, content }) },
  { weight: 2, arbitrary: of('link', { path, target: fc.constantFrom('a', '../..', '/etc/passwd', 'é') }) },
  { weight: 2, arbitrary: of('executable', { pick: fc.nat() }) },
  { weight: 2, arbitrary: of('rename', { pick: fc.nat(), path }) },
  { weight: 1, arbitrary: of('remove', { pick: fc.nat() }) },
  { weight: 1, arbitrary: of('submodule', { path }) },
  { weight: 1, arbitrary: of('empty', { message: fc.constantFrom('nothing', 'é\n\n- a\n', ' ') }) },
  { weight: 2, arbitrary: of('amend', { path, content }) },
  { weight: 1, arbitrary: of('latin1', { path }) },
  { weight: 4, arbitrary: of('switch', { branch }) },
  { weight: 3, arbitrary: of('merge', { branch, takesOurs: fc.boolean() }) },
  { weight: 1, arbitrary: of('orphan', { branch }) },
  { weight: 1, arbitrary: of('deleteBranch', { branch }) },
  { weight: 2, arbitrary: of('tag', { tag, isAnnotated: fc.boolean() }) },
  { weight: 1, arbitrary: of('tagOfTag', { tag, other: tag }) },
  { weight: 1, arbitrary: of('deleteTag', { tag }) },
);
export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What is done between one push and the next, for several pushes. */
export const histories: fc.Arbitrary<Operation[][]> = fc.array(
  fc.array(operation, { minLength: 3, maxLength: 12 }),
  { minLength: 2, maxLength: 4 },
);

/** A working copy in which operations are done by the git binary; what git refuses is left out. */
export class Workshop {
  readonly git = new Git();

  constructor(remote: string) {
    const settings = { 'user.name': 'Ann É', 'user.email': 'ann@example.org', 'core.quotePath': 'false' };
    for (const [key, value] of Object.entries(settings)) this.git.run(['config', key, value]);
    this.git.run(['fetch', '-q', remote, 'main']);
    this.git.run(['reset', '-q', '--hard', 'FETCH_HEAD']);
  }

  do(operation: Operation): void {
    switch (operation.kind) {
      case 'write':
        return this.#put(operation.path, (at) => writeFileSync(at, operation.content));
      case 'link':
        return this.#put(operation.path, (at) => symlinkSync(operation.target, at));
      case 'amend':
        return this.#put(operation.path, (at) => writeFileSync(at, operation.content), '--amend');
      case 'latin1':
        return this.#put(operation.path, (at) => writeFileSync(at, 'latin'), 'latin1');
      case 'executable':
        return this.#change(operation.pick, (file) => this.#flip(file));
      case 'rename':
        return this.#change(operation.pick, (file) => this.#rename(file, operation.path));
      case 'remove':
        return this.#change(operation.pick, (file) => this.git.run(['rm', '-q', '--', file]));
      case 'submodule':
        this.#try('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${operation.path}`);
        this.#try('commit', '-qm', 'submodule');
        return this.#settle();
      case 'empty':
        return this.#try('commit', '-q', '--allow-empty', '--allow-empty-message', '-m', operation.message);
      default:
        return this.#moveRefs(operation);
    }
  }

  /** Every branch and tag with its id, as `oid name` lines. */
  refs(): string {
    return this.git.run(['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags']);
  }

  #moveRefs(operation: Operation): void {
    switch (operation.kind) {
      case 'switch':
        this.#try('switch', '-q', '-c', operation.branch);
        return this.#try('switch', '-q', operation.branch);
      case 'merge':
        this.#try(
          'merge',
          '-q',
          '--no-edit',
          ...(operation.takesOurs ? ['-s', 'ours'] : []),
          operation.branch,
        );
        this.#try('merge', '--abort');
        return this.#settle();
      case 'orphan':
        this.#try('switch', '-q', '--orphan', operation.branch);
        this.#put('root', (at) => writeFileSync(at, operation.branch));
        return this.#try('switch', '-q', 'main');
      case 'deleteBranch':
        return operation.branch === 'main' ? undefined : this.#try('branch', '-q', '-D', operation.branch);
      case 'tag':
        return this.#try(
          'tag',
          '-f',
          ...(operation.isAnnotated ? ['-a', '-m', 'a\n\ntag é'] : []),
          operation.tag,
        );
      case 'tagOfTag':
        return this.#try('tag', '-f', '-a', '-m', 'of a tag', operation.tag, `refs/tags/${operation.other}`);
      case 'deleteTag':
        return this.#try('tag', '-d', operation.tag);
      default:
    }
  }

  #try(...args: string[]): void {
    try {
      this.git.run(args);
    } catch {
      // git itself says that this cannot be done here
    }
  }

  /** The index and the folder as the head has them, submodules without their content included. */
  #settle(): void {
    this.git.run(['reset', '-q', '--hard']);
    this.git.run(['clean', '-qffdx']);
  }

  #put(path: string, write: (at: string) => void, how = ''): void {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const above = join(this.git.dir, ...names.slice(0, depth));
      if (!statSync(above, { throwIfNoEntry: false })?.isDirectory()) rmSync(above, { force: true });
    }
    const at = join(this.git.dir, path);
    rmSync(at, { recursive: true, force: true });
    mkdirSync(dirname(at), { recursive: true });
    write(at);
    this.git.run(['add', '-A', '--', '.']);
    if (how === 'latin1') {
      this.#try('-c', 'i18n.commitEncoding=ISO-8859-1', 'commit', '-qm', `put ${path} é`);
    } else this.#try('commit', '-q', '-m', `put ${path}`, ...(how === '' ? [] : [how]));
    this.#settle();
  }

  #change(pick: number, act: (file: string) => void): void {
    const lines = this.git.run(['ls-files', '-s', '-z']).split('\0').filter(Boolean);
    const files = lines
      .filter((line) => !line.startsWith('160000'))
      .map((line) => line.split('\t')[1] as string);
    if (files.length === 0) return;
    act(files[pick % files.length] as string);
    this.#try('commit', '-qam', 'change');
    this.#settle();
  }

  #flip(file: string): void {
    if (this.git.run(['ls-files', '-s', '--', file]).startsWith('120000')) return;
    const at = join(this.git.dir, file);
    chmodSync(at, statSync(at).mode & 0o100 ? 0o644 : 0o755);
  }

  #rename(from: string, to: string): void {
    try {
      mkdirSync(dirname(join(this.git.dir, to)), { recursive: true });
      this.git.run(['mv', '-f', '--', from, to]);
    } catch {
      // a file stands where a folder is needed
    }
  }
}
