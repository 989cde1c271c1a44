import type { RepoType } from '#lib/repos/types.ts';
import type { Snippet } from '../kit/code-tabs.tsx';

export interface SnippetFacts {
  readonly type: RepoType;
  /** namespace/name */
  readonly id: string;
  readonly publicUrl: string;
  readonly isPrivate: boolean;
  readonly library: string | null;
  /** A file to name in examples: weights where there are some. */
  readonly file: string | null;
  readonly revision: string;
}

function address({ type, id }: SnippetFacts): string {
  return type === 'dataset' ? `datasets/${id}` : id;
}

function hf(facts: SnippetFacts): string {
  const type = facts.type === 'dataset' ? ' --repo-type dataset' : '';
  const file = facts.file ? ` ${facts.file}` : '';
  return [
    `export HF_ENDPOINT=${facts.publicUrl}`,
    ...(facts.isPrivate ? ['export HF_TOKEN=hf_…'] : []),
    `hf download ${facts.id}${file}${type}`,
  ].join('\n');
}

function python(facts: SnippetFacts): string {
  const type = facts.type === 'dataset' ? ', repo_type="dataset"' : '';
  const token = facts.isPrivate ? ', token="hf_…"' : '';
  return [
    'from huggingface_hub import HfApi',
    '',
    `hub = HfApi(endpoint="${facts.publicUrl}"${token})`,
    `path = hub.snapshot_download("${facts.id}"${type})`,
  ].join('\n');
}

function transformers(facts: SnippetFacts): string {
  return [
    'import os',
    `os.environ["HF_ENDPOINT"] = "${facts.publicUrl}"  # before the import`,
    ...(facts.isPrivate ? ['os.environ["HF_TOKEN"] = "hf_…"'] : []),
    'from transformers import AutoModel, AutoTokenizer',
    '',
    `tokenizer = AutoTokenizer.from_pretrained("${facts.id}")`,
    `model = AutoModel.from_pretrained("${facts.id}")`,
  ].join('\n');
}

function datasets(facts: SnippetFacts): string {
  return [
    'import os',
    `os.environ["HF_ENDPOINT"] = "${facts.publicUrl}"  # before the import`,
    ...(facts.isPrivate ? ['os.environ["HF_TOKEN"] = "hf_…"'] : []),
    'from datasets import load_dataset',
    '',
    `data = load_dataset("${facts.id}")`,
  ].join('\n');
}

function javascript(facts: SnippetFacts): string {
  return [
    'import { downloadFile } from "@huggingface/hub";',
    '',
    'const file = await downloadFile({',
    `  hubUrl: "${facts.publicUrl}",`,
    `  repo: "${address(facts)}",`,
    `  path: "${facts.file ?? 'README.md'}",`,
    ...(facts.isPrivate ? ['  accessToken: "hf_…",'] : []),
    '});',
  ].join('\n');
}

function curl(facts: SnippetFacts): string {
  const path = (facts.file ?? 'README.md').split('/').map(encodeURIComponent).join('/');
  const token = facts.isPrivate ? '-H "Authorization: Bearer hf_…" ' : '';
  return `curl -L ${token}-O \\\n  ${facts.publicUrl}/${address(facts)}/resolve/${encodeURIComponent(facts.revision)}/${path}`;
}

/** How to get a repo with the tools people have, each with this hub's own address filled in. */
export function downloadSnippets(facts: SnippetFacts): Snippet[] {
  return [
    { id: 'hf', label: 'hf', code: hf(facts) },
    facts.type === 'dataset'
      ? { id: 'datasets', label: 'datasets', code: datasets(facts) }
      : { id: 'transformers', label: 'transformers', code: transformers(facts) },
    { id: 'python', label: 'huggingface_hub', code: python(facts) },
    { id: 'javascript', label: 'JavaScript', code: javascript(facts) },
    { id: 'curl', label: 'curl', code: curl(facts) },
    { id: 'git', label: 'git', code: `git clone ${facts.publicUrl}/${address(facts)}` },
  ];
}

/** How to upload a folder into a repo. */
export function uploadSnippet(publicUrl: string, id: string, type: RepoType): string {
  return [
    `export HF_ENDPOINT=${publicUrl}`,
    'export HF_TOKEN=hf_…',
    `hf upload ${id} ./folder${type === 'dataset' ? ' --repo-type dataset' : ''}`,
  ].join('\n');
}

/** How to point the common tools at this hub at all. */
export function connectSnippets(publicUrl: string): Snippet[] {
  return [
    {
      id: 'hf',
      label: 'hf',
      code: `export HF_ENDPOINT=${publicUrl}\nhf auth login\nhf upload me/my-model ./folder\nhf download me/my-model`,
    },
    {
      id: 'transformers',
      label: 'transformers',
      code: `import os\nos.environ["HF_ENDPOINT"] = "${publicUrl}"\nfrom transformers import AutoTokenizer\n\ntokenizer = AutoTokenizer.from_pretrained("me/my-model")`,
    },
    { id: 'git', label: 'git', code: `git lfs install\ngit clone ${publicUrl}/me/my-model` },
  ];
}

/** A branch name as one word of a shell: git allows characters that a shell acts on. */
function quoted(name: string): string {
  return /^[\w./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

/** How to get a folder of a repo at a revision by a command. */
export function folderCommands(
  facts: Pick<SnippetFacts, 'publicUrl' | 'type' | 'id' | 'isPrivate'> & {
    readonly revision: string;
    readonly defaultBranch: string;
    /** Whether the revision is a branch or a tag, which git can clone by its name. */
    readonly isRef: boolean;
    readonly folder: string;
  },
): Snippet[] {
  const { publicUrl, type, id, revision, folder } = facts;
  const isDefault = revision === facts.defaultBranch;
  const flags = [
    folder === '' ? '' : ` --include ${quoted(`${folder}/*`)}`,
    isDefault ? '' : ` --revision ${quoted(revision)}`,
    type === 'dataset' ? ' --repo-type dataset' : '',
  ].join('');
  const branch = isDefault || !facts.isRef ? '' : ` --branch ${quoted(revision)}`;
  const token = facts.isPrivate ? ['export HF_TOKEN=hf_…'] : [];
  return [
    {
      id: 'hf',
      label: 'hf download',
      code: [`export HF_ENDPOINT=${publicUrl}`, ...token, `hf download ${id}${flags}`].join('\n'),
    },
    {
      id: 'git',
      label: 'git clone',
      code: `git clone${branch} ${publicUrl}/${type === 'dataset' ? 'datasets/' : ''}${id}`,
    },
  ];
}

/** How to get at a pull request's commits and add to them. */
export function pullSnippets(pull: {
  readonly publicUrl: string;
  readonly type: RepoType;
  /** namespace/name */
  readonly id: string;
  readonly num: number;
  /** The branch whose conflicts are to be solved, and that sentence in the reader's words; null: there are none. */
  readonly conflict: { readonly branch: string; readonly solve: string } | null;
}): Snippet[] {
  const { publicUrl, type, id, num, conflict } = pull;
  const flag = type === 'dataset' ? ' --repo-type dataset' : '';
  return [
    {
      id: 'git',
      label: 'git',
      code: [
        `git fetch origin refs/pr/${num}:pr/${num}`,
        `git checkout pr/${num}`,
        ...(conflict === null
          ? []
          : [
              `git pull --no-rebase origin ${quoted(conflict.branch)}`,
              `# ${conflict.solve}`,
              'git commit --all',
            ]),
        `git push origin pr/${num}:refs/pr/${num}`,
      ].join('\n'),
    },
    {
      id: 'hf',
      label: 'hf',
      code: `export HF_ENDPOINT=${publicUrl}\nhf upload ${id} ./folder . --revision refs/pr/${num}${flag}`,
    },
  ];
}
