import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { python } from './python.ts';

const READER = `hf_${'r'.repeat(36)}`;
const STRANGER = `hf_${'s'.repeat(36)}`;

let hub: Hub;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-api-'));
  hub = await startHub({
    seed: {
      users: [
        { name: '__reader__', fullname: 'Reader', tokens: [{ name: 'r', token: READER, role: 'read' }] },
        { name: 'stranger', fullname: 'Stranger', tokens: [{ name: 's', token: STRANGER, role: 'write' }] },
      ],
      organizations: [{ name: 'acme', fullname: 'Acme', members: [{ user: 'admin', role: 'admin' }] }],
    },
  });
});

afterAll(async () => {
  await hub?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const PRELUDE = `
import json, io, os, tempfile
from huggingface_hub import *
from huggingface_hub.errors import *
api = HfApi()
def kind(f):
    try:
        f()
        return None
    except Exception as e:
        return type(e).__name__
`;

/** Runs statements that fill a dict \`out\`, with the current client as the administrator. */
async function ask<T>(program: string, token: string | null = hub.adminToken): Promise<T> {
  return python<T>(`${PRELUDE}\nout = {}\n${program}\nprint(json.dumps(out, default=str))`, {
    endpoint: hub.url,
    token: token ?? undefined,
    home: join(dir, 'home'),
  });
}

test('whoami, create_repo with exist_ok, repo_exists, delete_repo with missing_ok', async () => {
  const out = await ask<Record<string, unknown>>(`
me = api.whoami()
out["me"] = [me["name"], me["auth"]["accessToken"]["role"], [o["name"] for o in me["orgs"]]]
url = api.create_repo("admin/life")
out["url"] = [str(url), url.repo_id, url.repo_type]
out["again"] = kind(lambda: api.create_repo("admin/life"))
out["exist_ok"] = api.create_repo("admin/life", exist_ok=True).repo_id
out["org"] = api.create_repo("acme/data", repo_type="dataset", private=True).repo_id
out["private"] = api.repo_info("acme/data", repo_type="dataset").private
out["foreign"] = kind(lambda: api.create_repo("stranger/x"))
out["exists"] = [api.repo_exists("admin/life"), api.repo_exists("admin/nope"), api.repo_exists("acme/data", repo_type="dataset")]
out["files"] = api.list_repo_files("admin/life")
api.delete_repo("admin/life")
out["gone"] = [api.repo_exists("admin/life"), kind(lambda: api.delete_repo("admin/life"))]
api.delete_repo("admin/life", missing_ok=True)
out["space"] = kind(lambda: api.create_repo("admin/s", repo_type="space", space_sdk="static"))
`);
  expect(out).toEqual({
    me: ['admin', 'write', ['acme']],
    url: [`${hub.url}/admin/life`, 'admin/life', 'model'],
    again: 'HfHubHTTPError',
    exist_ok: 'admin/life',
    org: 'acme/data',
    private: true,
    foreign: 'HfHubHTTPError',
    exists: [true, false, true],
    files: ['.gitattributes'],
    gone: [false, 'RepositoryNotFoundError'],
    space: 'BadRequestError',
  });
});

test('commits: add, copy of nothing, delete, no-op, parent that moved', async () => {
  const out = await ask<Record<string, unknown>>(`
api.create_repo("admin/commits")
a = api.create_commit("admin/commits", [
  CommitOperationAdd("a.txt", b"a"), CommitOperationAdd("dir/b.txt", b"b"), CommitOperationAdd("dir/c.bin", b"c" * 100),
  CommitOperationAdd("empty", b""),
], commit_message="first", commit_description="more words")
out["url"] = a.commit_url
out["files"] = sorted(api.list_repo_files("admin/commits"))
same = api.upload_file(path_or_fileobj=b"a", path_in_repo="a.txt", repo_id="admin/commits")
out["noop"] = same.oid == a.oid
out["moved"] = kind(lambda: api.create_commit("admin/commits", [CommitOperationAdd("x", b"x")], commit_message="m", parent_commit="0" * 40))
b = api.create_commit("admin/commits", [CommitOperationAdd("x", b"x")], commit_message="m", parent_commit=a.oid)
api.delete_file("a.txt", "admin/commits")
api.delete_folder("dir", "admin/commits")
out["missing"] = kind(lambda: api.delete_file("nope.txt", "admin/commits"))
out["left"] = sorted(api.list_repo_files("admin/commits"))
out["before"] = sorted(api.list_repo_files("admin/commits", revision=a.oid))
commits = api.list_repo_commits("admin/commits")
out["titles"] = [c.title for c in commits]
out["message"] = commits[-2].message
out["authors"] = commits[0].authors
out["formatted"] = api.list_repo_commits("admin/commits", formatted=True)[0].formatted_title
refs = api.list_repo_refs("admin/commits", include_pull_requests=True)
out["refs"] = [[r.name for r in refs.branches], refs.tags, refs.converts, refs.pull_requests]
out["head"] = refs.branches[0].target_commit == commits[0].commit_id
out["bad_branch"] = kind(lambda: api.upload_file(path_or_fileobj=b"a", path_in_repo="a", repo_id="admin/commits", revision="nope"))
out["bad_path"] = kind(lambda: api.create_commit("admin/commits", [CommitOperationAdd("a/./b", b"x")], commit_message="m"))
out["pr"] = kind(lambda: api.upload_file(path_or_fileobj=b"q", path_in_repo="q", repo_id="admin/commits", create_pr=True))
`);
  expect(out).toMatchObject({
    url: expect.stringMatching(`^${hub.url}/admin/commits/commit/[0-9a-f]{40}$`),
    files: ['.gitattributes', 'a.txt', 'dir/b.txt', 'dir/c.bin', 'empty'],
    noop: true,
    moved: 'HfHubHTTPError',
    missing: 'RemoteEntryNotFoundError',
    left: ['.gitattributes', 'empty', 'x'],
    before: ['.gitattributes', 'a.txt', 'dir/b.txt', 'dir/c.bin', 'empty'],
    titles: [
      'Delete folder dir with huggingface_hub',
      'Delete a.txt with huggingface_hub',
      'm',
      'first',
      'initial commit',
    ],
    message: 'more words',
    authors: ['admin'],
    refs: [['main'], [], [], []],
    head: true,
    bad_branch: 'RevisionNotFoundError',
    pr: 'BadRequestError',
  });
});

test('reading: info, tree, paths, metadata, cached download, snapshot, ranges', async () => {
  const out = await ask<Record<string, unknown>>(`
api.create_repo("admin/read")
big = os.urandom(300000)
c = api.create_commit("admin/read", [
  CommitOperationAdd("README.md", b"---\\nlicense: mit\\ntags: [demo]\\n---\\n# R\\n"),
  CommitOperationAdd("config.json", json.dumps({"model_type": "bert", "architectures": ["BertForMaskedLM"]}).encode()),
  CommitOperationAdd("sub/model.bin", big), CommitOperationAdd("sub/deep/x.txt", b"x"),
], commit_message="files")
info = api.model_info("admin/read", files_metadata=True, securityStatus=True)
out["info"] = [info.id, info.sha == c.oid, info.pipeline_tag, info.library_name, info.card_data.license, info.private, info.gated]
sizes = {s.rfilename: [s.size, s.lfs.size if s.lfs else None] for s in info.siblings}
out["sizes"] = sizes["sub/model.bin"]
out["expand"] = api.model_info("admin/read", expand=["downloads", "likes"]).downloads is not None
out["bad_expand"] = kind(lambda: api.model_info("admin/read", expand=["nope"]))
tree = list(api.list_repo_tree("admin/read", recursive=True, expand=True))
out["tree"] = sorted([type(t).__name__, t.path, t.last_commit.title] for t in tree)
out["paths"] = [p.path for p in api.get_paths_info("admin/read", ["config.json", "sub", "nope"], expand=True)]
meta = get_hf_file_metadata(hf_hub_url("admin/read", "sub/model.bin"))
out["meta"] = [meta.commit_hash == c.oid, meta.size, len(meta.etag), meta.xet_file_data is not None]
p1 = hf_hub_download("admin/read", "sub/model.bin"); p2 = hf_hub_download("admin/read", "config.json", revision=c.oid[:8])
out["bytes"] = open(p1, "rb").read() == big
folder = snapshot_download("admin/read", allow_patterns=["*.json", "sub/**"])
out["snapshot"] = sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, fs in os.walk(folder) for f in fs)
out["file_exists"] = [api.file_exists("admin/read", "config.json"), api.file_exists("admin/read", "nope")]
out["revision_exists"] = [api.revision_exists("admin/read", "main"), api.revision_exists("admin/read", "nope")]
out["missing"] = [kind(lambda: hf_hub_download("admin/read", "nope")), kind(lambda: hf_hub_download("admin/read", "x", revision="nope")), kind(lambda: hf_hub_download("admin/none", "x")), kind(lambda: list(api.list_repo_tree("admin/read", "nope")))]
fs = HfFileSystem()
with fs.open("admin/read/sub/model.bin", "rb") as f:
    f.seek(1000); out["range"] = f.read(50) == big[1000:1050]
out["glob"] = fs.glob("admin/read/**/*.json")
card = ModelCard.load("admin/read"); out["card"] = card.data.to_dict()
out["verify"] = kind(lambda: api.verify_repo_checksums("admin/read", local_dir=folder))
`);
  expect(out).toMatchObject({
    info: ['admin/read', true, 'fill-mask', 'transformers', 'mit', false, false],
    sizes: [300000, 300000],
    expand: true,
    bad_expand: 'BadRequestError',
    tree: [
      ['RepoFile', '.gitattributes', 'initial commit'],
      ['RepoFile', 'README.md', 'files'],
      ['RepoFile', 'config.json', 'files'],
      ['RepoFile', 'sub/deep/x.txt', 'files'],
      ['RepoFile', 'sub/model.bin', 'files'],
      ['RepoFolder', 'sub', 'files'],
      ['RepoFolder', 'sub/deep', 'files'],
    ],
    paths: ['config.json', 'sub'],
    meta: [true, 300000, 64, true],
    bytes: true,
    snapshot: ['config.json', 'sub/deep/x.txt', 'sub/model.bin'],
    file_exists: [true, false],
    revision_exists: [true, false],
    missing: [
      'RemoteEntryNotFoundError',
      'RevisionNotFoundError',
      'RepositoryNotFoundError',
      'RemoteEntryNotFoundError',
    ],
    range: true,
    glob: ['admin/read/config.json'],
    card: { license: 'mit', tags: ['demo'] },
  });
});

test('listing: search, author, filter, task, sort and pages', async () => {
  const out = await ask<Record<string, unknown>>(`
for i in range(5):
    name = f"acme/list-{i}"
    api.create_repo(name)
    api.upload_file(path_or_fileobj=f"---\\nlicense: mit\\ntags: [t{i % 2}]\\npipeline_tag: text-generation\\n---\\n".encode(), path_in_repo="README.md", repo_id=name)
    api.model_info(name)
api.create_repo("acme/list-private", private=True)
ids = lambda **k: [m.id for m in api.list_models(**k)]
out["search"] = sorted(ids(search="LIST acme"))
out["author"] = len(ids(author="ACME"))
out["filter"] = sorted(ids(filter=["t1", "license:mit"]))
out["task"] = len(ids(pipeline_tag="text-generation", author="acme"))
newest = ids(author="acme", sort="created_at")
out["newest"] = newest[:2]
out["pages"] = len(ids(author="acme", limit=2)) == 2
full = [m for m in api.list_models(search="list-0", full=True)][0]
out["full"] = [full.sha is not None, [s.rfilename for s in full.siblings], full.last_modified is not None]
out["card"] = [m for m in api.list_models(search="list-0", cardData=True)][0].card_data.license
out["literal"] = ids(search="%") + ids(search="_ist")
out["bad_sort"] = kind(lambda: ids(sort="nope"))
out["datasets"] = [d.id for d in api.list_datasets(author="acme")]
out["inference"] = ids(inference="warm")
`);
  expect(out).toEqual({
    search: ['acme/list-0', 'acme/list-1', 'acme/list-2', 'acme/list-3', 'acme/list-4', 'acme/list-private'],
    author: 6,
    filter: ['acme/list-1', 'acme/list-3'],
    task: 5,
    newest: ['acme/list-private', 'acme/list-4'],
    pages: true,
    full: [true, ['.gitattributes', 'README.md'], true],
    card: 'mit',
    literal: [],
    bad_sort: expect.any(String),
    datasets: ['acme/data'],
    inference: [],
  });
  const strangers = await ask<string[]>(
    'out = [[m.id for m in api.list_models(author="acme")], [d.id for d in api.list_datasets()]]',
    STRANGER,
  );
  expect(strangers).toEqual([expect.not.arrayContaining(['acme/list-private']), []]);
});

test('rights: a read token, a stranger and nobody get the exceptions that say so', async () => {
  const program = `
out = [
  kind(lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="acme/list-0")),
  kind(lambda: api.model_info("acme/list-private")),
  kind(lambda: hf_hub_download("acme/list-private", ".gitattributes")),
  kind(lambda: api.model_info("acme/list-0")),
  kind(lambda: api.auth_check("acme/list-0")),
  kind(lambda: api.auth_check("acme/list-private")),
]`;
  const denied = [
    'RepositoryNotFoundError',
    'RepositoryNotFoundError',
    null,
    null,
    'RepositoryNotFoundError',
  ];
  expect(await ask(program, READER)).toEqual(['HfHubHTTPError', ...denied]);
  expect(await ask(program, STRANGER)).toEqual(['HfHubHTTPError', ...denied]);
  const anonymous = await ask<(string | null)[]>(program, null);
  expect(anonymous.slice(1)).toEqual(denied);
  expect(anonymous[0]).not.toBeNull();
});

test('a README with broken metadata is refused before anything is uploaded', async () => {
  const out = await ask<Record<string, unknown>>(`
api.create_repo("admin/card")
def broken():
    api.upload_file(path_or_fileobj=b"---\\nlicense: [\\n---\\n", path_in_repo="README.md", repo_id="admin/card")
out["broken"] = kind(broken)
out["files"] = api.list_repo_files("admin/card")
ModelCard("---\\nlicense: mit\\n---\\n# Hi").push_to_hub("admin/card")
out["pushed"] = ModelCard.load("admin/card").data.license
metadata_update("admin/card", {"tags": ["new"]})
out["updated"] = ModelCard.load("admin/card", ignore_metadata_errors=False).data.tags
`);
  expect(out).toEqual({
    broken: expect.any(String),
    files: ['.gitattributes'],
    pushed: 'mit',
    updated: ['new'],
  });
});
