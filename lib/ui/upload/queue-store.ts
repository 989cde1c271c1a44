import type { RepoRef } from '#lib/repos/types.ts';
import type { UploadItem } from './upload-item.ts';

/** What is kept of an upload as a whole. */
export interface KeptQueue {
  readonly key: string;
  readonly user: string;
  readonly repo: RepoRef;
  readonly branch: string;
  readonly folder: string;
  readonly summary: string;
  readonly description: string;
  readonly asPullRequest: boolean;
  readonly isFlat: boolean;
  /** For the hint on other pages. */
  readonly files: number;
  readonly finished: number;
}

/** By what a file is had again after a restart: its bytes if it is small, else the browser's handle on what was chosen. */
export interface KeptSource {
  readonly id: string;
  readonly content?: Blob | undefined;
  readonly handle?: FileSystemHandle | undefined;
}

const DATABASE = 'larder-uploads';
const STORES = { queues: 'queues', items: 'items', sources: 'sources' } as const;

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(transaction.error ?? new Error('the browser kept nothing'));
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', fail);
    transaction.addEventListener('error', fail);
  });
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () =>
      reject(request.error ?? new Error('the browser gave nothing back')),
    );
  });
}

let opening: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener('upgradeneeded', () => {
      request.result.createObjectStore(STORES.queues, { keyPath: 'key' });
      request.result.createObjectStore(STORES.items, { keyPath: ['queue', 'id'] });
      request.result.createObjectStore(STORES.sources, { keyPath: ['queue', 'id'] });
    });
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('this browser keeps nothing')));
  });
  opening.catch(() => {
    opening = null;
  });
  return opening;
}

const within = (key: string) => IDBKeyRange.bound([key], [key, []]); // arrays come after every string

/** So many rows at once: more would hold up the page. */
const ROWS_AT_ONCE = 250;

async function allWithin<T>(store: IDBObjectStore, key: string): Promise<T[]> {
  const found: T[] = [];
  for (let range = within(key); ; ) {
    const some = await answerOf<(T & { id: string })[]>(store.getAll(range, ROWS_AT_ONCE));
    found.push(...some);
    const last = some.at(-1);
    if (!last || some.length < ROWS_AT_ONCE) return found;
    range = IDBKeyRange.bound([key, last.id], [key, []], true);
  }
}

async function putAll(store: IDBObjectStore, rows: readonly object[]): Promise<void> {
  for (const [i, row] of rows.entries()) {
    const put = store.put(row);
    if ((i + 1) % ROWS_AT_ONCE === 0) await answerOf(put);
  }
}

/** Whether this browser keeps something under a key. Throws where nothing can be kept. */
export async function hasQueue(key: string): Promise<boolean> {
  const { queues } = STORES;
  return (await answerOf((await open()).transaction(queues).objectStore(queues).count(key))) > 0;
}

/** What this browser keeps under a key; null when it keeps nothing. Throws where nothing can be kept. */
export async function readQueue(
  key: string,
): Promise<{ queue: KeptQueue; items: UploadItem[]; sources: Map<string, KeptSource> } | null> {
  const transaction = (await open()).transaction(Object.values(STORES));
  const [queue, items, sources] = await Promise.all([
    answerOf<KeptQueue | undefined>(transaction.objectStore(STORES.queues).get(key)),
    allWithin<{ item: UploadItem }>(transaction.objectStore(STORES.items), key),
    allWithin<KeptSource>(transaction.objectStore(STORES.sources), key),
  ]);
  if (!queue) return null;
  return {
    queue,
    items: items.map((row) => row.item),
    sources: new Map(sources.map((source) => [source.id, source])),
  };
}

/** One write: what changed and what is gone. */
export interface Changes {
  readonly queue: KeptQueue;
  /** With the place each has in the list. */
  readonly items: readonly UploadItem[];
  readonly sources: readonly KeptSource[];
  readonly removed: readonly string[];
}

/** Writes changes in one transaction. Throws where nothing can be kept (a private window, a full disk). */
export async function writeQueue({ queue, items, sources, removed }: Changes): Promise<void> {
  const transaction = (await open()).transaction(Object.values(STORES), 'readwrite');
  const end = ended(transaction);
  end.catch(() => {}); // whatever fails first tells
  const { key } = queue;
  transaction.objectStore(STORES.queues).put(queue);
  await putAll(
    transaction.objectStore(STORES.items),
    items.map((item) => ({ queue: key, id: item.id, item })),
  );
  await putAll(
    transaction.objectStore(STORES.sources),
    sources.map((source) => ({ ...source, queue: key })),
  );
  for (const id of removed)
    for (const store of [STORES.items, STORES.sources])
      transaction.objectStore(store).delete([queue.key, id]);
  await end;
}

/** Forgets a queue with everything in it. */
export async function dropQueue(key: string): Promise<void> {
  const transaction = (await open()).transaction(Object.values(STORES), 'readwrite');
  const end = ended(transaction);
  transaction.objectStore(STORES.queues).delete(key);
  transaction.objectStore(STORES.items).delete(within(key));
  transaction.objectStore(STORES.sources).delete(within(key));
  await end;
}

/** The unfinished uploads of a user into a repo. */
export async function listQueues(user: string, repo: RepoRef): Promise<KeptQueue[]> {
  const all = await answerOf<KeptQueue[]>(
    (await open()).transaction(STORES.queues).objectStore(STORES.queues).getAll(),
  );
  return all.filter(
    (queue) =>
      queue.user === user &&
      queue.repo.type === repo.type &&
      queue.repo.namespace === repo.namespace &&
      queue.repo.name === repo.name,
  );
}
