import type { Oid, Sha256 } from '#lib/base/ids.ts';

/** What one large file of a repo stands for. */
export interface FileShare {
  readonly sha256: Sha256;
  /** A path that it has or had; null when no ref reaches it. */
  readonly path: string | null;
  /** A branch, tag or pull request holds it now; else only the history does, if anything. */
  readonly isInHead: boolean;
  readonly sizeBytes: number;
  /** Bytes in the store that it is made of, also those that other files use too. */
  readonly storedBytes: number;
  /** Those of them that no other file of the repo uses: what the repo would shrink by without it. */
  readonly addsBytes: number;
}

/** What a branch, tag or pull request stands for. */
export interface RefShare {
  /** Full name. */
  readonly ref: string;
  /** Distinct large files in its whole history. */
  readonly fileCount: number;
  readonly logicalBytes: number;
  /** Stored bytes that no other ref reaches. */
  readonly addsBytes: number;
}

/** What a commit brought that the repo did not have before it. The added bytes of all of them are what is stored. */
export interface CommitShare {
  readonly oid: Oid;
  readonly title: string;
  readonly date: string;
  readonly fileCount: number;
  readonly logicalBytes: number;
  readonly addsBytes: number;
}

/** A number of things that are not listed one by one, together. */
export interface Rest {
  readonly count: number;
  readonly logicalBytes: number;
  readonly addsBytes: number;
}

/** Another repo that uses some of the same stored bytes. */
export interface SharedWith {
  readonly repoId: number;
  readonly bytes: number;
}

/**
 * Where the bytes of a repo's large files are, counted chunk by chunk. Always:
 * logicalBytes = storedBytes + savedByDedup + savedByCompression, storedBytes = ownBytes + sharedBytes, and
 * storedBytes = the added bytes of all commits + those of unreachable.
 */
export interface StorageReport {
  readonly fileCount: number;
  readonly logicalBytes: number;
  readonly storedBytes: number;
  /** Bytes of chunks and files that occur more than once in the repo. Negative where a file is kept in two forms. */
  readonly savedByDedup: number;
  /** Can be slightly negative: what does not compress has a header of 8 bytes per chunk. */
  readonly savedByCompression: number;
  /** No other repo uses them. */
  readonly ownBytes: number;
  readonly sharedBytes: number;
  /** By bytes, the largest 100. */
  readonly sharedWith: readonly SharedWith[];
  /** By added bytes, the largest 200. */
  readonly files: readonly FileShare[];
  readonly moreFiles: Rest;
  readonly refs: readonly RefShare[];
  /** Newest first, 100 at most. */
  readonly commits: readonly CommitShare[];
  readonly moreCommits: Rest;
  /** Files that no ref reaches: uploaded and not committed, or left behind by a rewritten history. */
  readonly unreachable: Rest;
  /** Large files that are stored whole and may be converted to chunks. */
  readonly whole: { readonly count: number; readonly bytes: number };
  /** False when history, refs or sharing were more than is looked at. */
  readonly isComplete: boolean;
}
