import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiHub, READER, STRANGER, startApiHub } from './api-hub.ts';

let api: ApiHub;

beforeAll(async () => {
  api = await startApiHub();
});

afterAll(() => api?.close());

test('whoami, create_repo with exist_ok, repo_exists, delete_repo with missing_ok', async () => {
  const out = await api.ask(`
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
    url: [`${api.hub.url}/admin/life`, 'admin/life', 'model'],
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

test('reading: info, tree, paths, metadata, cached download, snapshot, ranges', async () => {
  const out = await api.ask(`
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
  const out = await api.ask(`
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
tags = api.get_model_tags()
out["tags"] = {k: sorted(t["id"] for t in v) for k, v in tags.items() if k in ("pipeline_tag", "license", "other")}
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
    tags: {
      pipeline_tag: ['fill-mask', 'text-generation'],
      license: ['license:mit'],
      other: ['bert', 'demo', 't0', 't1'],
    },
  });
  const strangers = await api.ask<string[]>(
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
  expect(await api.ask(program, READER)).toEqual(['HfHubHTTPError', ...denied]);
  expect(await api.ask(program, STRANGER)).toEqual(['HfHubHTTPError', ...denied]);
  const anonymous = await api.ask<(string | null)[]>(program, null);
  expect(anonymous.slice(1)).toEqual(denied);
  expect(anonymous[0]).not.toBeNull();
});
