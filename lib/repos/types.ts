import type { Oid, RepoId, Sha256, XetHash } from '#lib/base/ids.ts';

export type RepoType = 'model' | 'dataset';
export type Visibility = 'public' | 'private';

/** A repo's name as asked for; case-insensitive. */
export interface RepoRef {
  readonly type: RepoType;
  readonly namespace: string;
  readonly name: string;
}

/** A live repo row with its canonical names. */
export interface Repo extends RepoRef {
  readonly id: RepoId;
  /** 24 hex, for the wire. */
  readonly publicId: string;
  readonly namespaceId: string;
  /** User id; decides for contributors of an organization. */
  readonly createdBy: string;
  readonly visibility: Visibility;
  readonly defaultBranch: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly downloads: number;
  readonly likes: number;
  /** How often git objects of the repo were reclaimed when this was read: see moveRef. */
  readonly gitSweeps: number;
}

/** A large file a git blob points to. */
export interface LfsFacts {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly pointerSizeBytes: number;
}

/** One line of a listing. `path` is from the root, without a leading slash. */
export interface TreeEntry {
  readonly type: 'file' | 'directory';
  readonly path: string;
  readonly oid: Oid;
  /** git mode as in the tree object: 100644, 100755, 120000, 40000, 160000. */
  readonly mode: number;
  /** The real size: of the large file when there is one, of the blob otherwise; 0 for directories. */
  readonly sizeBytes: number;
  readonly lfs?: LfsFacts;
  /** Present only when this repo holds the file as Xet and its bytes can be read now. */
  readonly xetHash?: XetHash;
}

/** A revision as asked for, resolved once. */
export interface Revision {
  readonly commitOid: Oid;
  /** Full ref name when the revision named a ref, else null. */
  readonly ref: string | null;
}

/** One change of a commit, in the order given by the client. */
export type CommitOperation =
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer }
  | {
      readonly kind: 'lfsFile';
      readonly path: string;
      readonly sha256: Sha256;
      readonly sizeBytes: number | null;
    }
  | { readonly kind: 'deleteFile'; readonly path: string }
  | { readonly kind: 'deleteFolder'; readonly path: string }
  /** File or folder, whichever is there (JavaScript and old clients). */
  | { readonly kind: 'deleteEntry'; readonly path: string };

export interface CommitHeader {
  readonly summary: string;
  readonly description: string;
  /** Full or abbreviated oid the client saw; a mismatch is ref_moved (412). */
  readonly parentCommit: string | null;
}

/** A line of a commit list. */
export interface CommitSummary {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  readonly title: string;
  /** Body without the title. */
  readonly message: string;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly date: Date;
  /** Name of the user on this hub, when the commit was made by one. */
  readonly userName: string | null;
}

/** How this repo holds a large file: the edge that gives the right to read, with where the bytes are. */
export interface RepoFile {
  readonly repoId: RepoId;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** Object-store key when stored whole. */
  readonly objectKey: string | null;
  readonly xet: { readonly fileId: number; readonly domainId: number; readonly hash: XetHash } | null;
}
