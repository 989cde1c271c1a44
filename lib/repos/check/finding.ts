/** What a check can find: what it means, and what mends it when `--fix` cannot. A note costs room or time, but nothing is lost by it. */
export const FINDINGS = {
  'git-object-missing': {
    means: 'a ref reaches a git object that is not in the database',
    mend: 'push the branch again from a clone that has it, or restore a backup',
  },
  'git-object-damaged': {
    means: 'a git object does not have the hash, size or kind that it should have',
    mend: 'restore a backup: the database was damaged',
  },
  'commit-unindexed': {
    means: 'the commit index does not say what the commit says; histories may be shown wrong',
    mend: 'npm run check -- --fix indexes it again',
  },
  'pointer-misread': {
    means: 'the row of a blob and its content disagree on whether it is a pointer to a large file',
    mend: 'npm run check -- --fix writes the row anew from the content',
  },
  'file-not-held': {
    means: 'a ref reaches a pointer to a large file that the repo has no bytes of',
    mend: 'upload the file again (the same bytes), or restore a backup',
  },
  'file-size-differs': {
    means: 'a pointer states another size than the file has',
    mend: 'commit the file again',
  },
  'reflog-broken': {
    means: 'a ref and its reflog tell different stories: a change was lost or made behind the hub',
    mend: 'look at the reflog page of the repo and set the ref where it belongs',
  },
  'default-branch-missing': {
    means: 'the repo has no default branch',
    mend: 'push it, or name another in the settings of the repo',
  },
  'edge-dead': {
    means: 'a repo holds a large file none of whose sources can be read',
    mend: 'upload the file again (the same bytes), or restore a backup',
  },
  'edge-half-dead': {
    means: 'a repo holds a large file in two ways, one of which cannot be read',
    mend: 'npm run check -- --fix uses the other',
  },
  'edge-differs': {
    means: 'a repo holds a large file of another size or hash than it says',
    mend: 'upload the file again (the same bytes)',
  },
  'xorb-dead': {
    means: 'a Xet file needs a xorb that is lost or being deleted',
    mend: 'upload one of the files that hold it again: any client with the bytes heals all of them',
  },
  'xet-edges-differ': {
    means: 'the edges from a Xet file to its xorbs are not those of its chunk list',
    mend: 'npm run check -- --fix writes them anew',
  },
  'object-missing': {
    means: 'the store does not have an object that the database names',
    mend: 'put the object back under its key (from a copy of the bucket or a backup), or upload the file again',
  },
  'object-size': {
    means: 'an object in the store is longer or shorter than the database says',
    mend: 'put the object back under its key (from a copy of the bucket or a backup), or upload the file again',
  },
  'object-damaged': {
    means: 'the bytes of an object are not those that were stored',
    mend: 'put the object back under its key (from a copy of the bucket or a backup), or upload the file again',
  },
  'object-back': {
    means: 'an object that was lost is there again, whole',
    mend: 'npm run check -- --fix takes it into use',
  },
  'object-lost': {
    means: 'an object is known to be lost; a re-upload of the same bytes heals it',
    mend: 'upload the file again, or put the object back under its key and run npm run check -- --fix',
  },
  'key-unnamed': {
    means: 'the store holds an object that no row names, for longer than any upload takes',
    mend: 'npm run check -- --fix deletes it',
    isNote: true,
  },
  'counter-differs': {
    means: 'a number that is kept beside what it counts is not what counting gives',
    mend: 'npm run check -- --fix counts again',
  },
  'facts-stale': {
    means: 'what is known of a model was read from an older commit',
    mend: 'a worker reads it again by itself; npm run check -- --fix asks for it',
    isNote: true,
  },
  'log-missing': {
    means: 'a Xet file is in no log in the store: the Xet tables could not be made again for it',
    mend: 'npm run check -- --fix writes one',
    isNote: true,
  },
  endpoint: {
    means: 'what runs is not what should run',
    mend: 'a worker mends it by itself when one runs: npm run worker',
  },
} as const satisfies Record<string, { means: string; mend: string; isNote?: boolean }>;

export type FindingCode = keyof typeof FINDINGS;

/** A repair that loses nothing. Findings that one repair mends have the same key: it is run once. */
export interface Fix {
  readonly key: string;
  /** What it will do, as "index the commits of … again". */
  readonly what: string;
  /** Does it and says what came of it. Running it again changes nothing. */
  readonly run: () => Promise<string>;
}

/** One thing that is not as it should be. As text: one line that names where and what. */
export class Finding {
  readonly code: FindingCode;
  /** What it is about: `model:ns/name`, `object blob/…`. */
  readonly subject: string;
  readonly text: string;
  readonly fix: Fix | null;

  constructor(code: FindingCode, subject: string, text: string, fix: Fix | null = null) {
    this.code = code;
    this.subject = subject;
    this.text = text;
    this.fix = fix;
  }

  /** Costs room or time, but nothing is lost by it: a check with nothing but notes has passed. */
  get isNote(): boolean {
    return 'isNote' in FINDINGS[this.code];
  }

  toString(): string {
    return `${this.subject}: ${this.text}`;
  }
}
