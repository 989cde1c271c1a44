import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiHub, READER, STRANGER, startApiHub } from './api-hub.ts';

let api: ApiHub;

beforeAll(async () => {
  api = await startApiHub();
});

afterAll(() => api?.close());

test.each(['model', 'dataset'])(
  'a %s is renamed and moved to an organization; its old names lead to it',
  async (type) => {
    const out = await api.ask(`
kw = dict(repo_type="${type}")
api.create_repo("admin/first", **kw)
api.create_repo("admin/taken", **kw)
api.create_commit("admin/first", [CommitOperationAdd("a.txt", b"a"), CommitOperationAdd("m.bin", os.urandom(3_000_000))], commit_message="m", **kw)
big = open(hf_hub_download("admin/first", "m.bin", **kw), "rb").read()
out["taken"] = kind(lambda: api.move_repo("admin/first", "admin/taken", **kw))
try:
    api.move_repo("admin/first", "admin/taken", **kw)
except HfHubHTTPError as e:
    out["taken_text"] = str(e)
api.move_repo("admin/first", "acme/second", **kw)
out["id"] = [api.repo_info("admin/first", **kw).id, api.repo_info("acme/second", **kw).id]
out["exists"] = [api.repo_exists("admin/first", **kw), api.file_exists("admin/first", "m.bin", **kw)]
with tempfile.TemporaryDirectory() as cache:
    out["read"] = open(hf_hub_download("admin/first", "m.bin", cache_dir=cache, **kw), "rb").read() == big
    out["snapshot"] = sorted(os.listdir(snapshot_download("admin/first", cache_dir=cache, **kw)))
with tempfile.TemporaryDirectory() as cache:
    out["read_new"] = open(hf_hub_download("acme/second", "m.bin", cache_dir=cache, **kw), "rb").read() == big
api.create_commit("admin/first", [CommitOperationAdd("b.txt", b"b"), CommitOperationAdd("n.bin", os.urandom(3_000_000))], commit_message="under the old name", **kw)
out["files"] = api.list_repo_files("acme/second", **kw)
api.move_repo("acme/second", "acme/third", **kw)
out["chain"] = [api.repo_info(n, **kw).id for n in ["admin/first", "acme/second"]]
api.create_repo("admin/first", **kw)
out["retaken"] = [api.repo_info("admin/first", **kw).id, api.list_repo_files("admin/first", **kw)]
api.delete_repo("admin/first", **kw)
out["never_again"] = api.repo_exists("admin/first", **kw)
api.move_repo("acme/third", "acme/second", **kw)
out["back"] = [api.repo_info(n, **kw).id for n in ["acme/third", "acme/second"]]
`);
    expect(out).toEqual({
      taken: 'HfHubHTTPError',
      taken_text: expect.stringContaining(`A ${type} repository called admin/taken already exists`),
      id: ['acme/second', 'acme/second'],
      exists: [true, true],
      read: true,
      snapshot: ['.gitattributes', 'a.txt', 'm.bin'],
      read_new: true,
      files: ['.gitattributes', 'a.txt', 'b.txt', 'm.bin', 'n.bin'],
      chain: ['acme/third', 'acme/third'],
      retaken: ['admin/first', ['.gitattributes']],
      never_again: false,
      back: ['acme/second', 'acme/second'],
    });
    const strangers = await api.ask(
      `
api.create_repo("stranger/own", exist_ok=True, repo_type="${type}")
out["out"] = kind(lambda: api.move_repo("acme/second", "stranger/mine", repo_type="${type}"))
out["into"] = kind(lambda: api.move_repo("stranger/own", "acme/theirs", repo_type="${type}"))
`,
      STRANGER,
    );
    expect(strangers).toEqual({ out: 'HfHubHTTPError', into: 'HfHubHTTPError' });
  },
);

test('a moved private repo is hidden under its old name as under its new one; HEAD and GET are sent on by 307', async () => {
  await api.ask(`
api.create_repo("admin/hid", private=True)
api.upload_file(path_or_fileobj=b"1", path_in_repo="x y.txt", repo_id="admin/hid")
api.move_repo("admin/hid", "admin/hidden")
`);
  const get = (path: string, token: string, method = 'GET') =>
    fetch(`${api.hub.url}${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}` },
    });
  for (const path of ['/api/models/admin/hid', '/admin/hid/resolve/main/x%20y.txt']) {
    expect((await get(path, STRANGER)).status).toBe(404);
    const sent = await get(path, api.hub.adminToken, path.includes('resolve') ? 'HEAD' : 'GET');
    expect([sent.status, sent.headers.get('location')]).toEqual([307, path.replace('/hid', '/hidden')]);
  }
  const tree = await get('/api/models/admin/hid/tree/main?recursive=true', api.hub.adminToken);
  expect(tree.headers.get('location')).toBe('/api/models/admin/hidden/tree/main?recursive=true');
});

test('settings: visibility changes at once; what is not enforced is refused', async () => {
  const out = await api.ask(`
api.create_repo("admin/vis")
api.update_repo_settings("admin/vis", private=True)
out["private"] = api.repo_info("admin/vis").private
out["gated"] = kind(lambda: api.update_repo_settings("admin/vis", gated="auto"))
api.update_repo_settings("admin/vis", gated=False)
out["check"] = [kind(lambda: api.auth_check("admin/vis")), kind(lambda: api.auth_check("admin/vis", write=True))]
`);
  expect(out).toEqual({ private: true, gated: 'BadRequestError', check: [null, null] });
  const put = (path: string, body: unknown, method = 'PUT') =>
    fetch(`${api.hub.url}/api/models/admin/vis/${path}`, {
      method,
      headers: { authorization: `Bearer ${api.hub.adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const talk = 'out["talk"] = kind(lambda: api.create_discussion("admin/vis", title="Hello"))';
  expect(await (await put('settings', { discussionsDisabled: true })).json()).toEqual({
    visibility: 'private',
    private: true,
    gated: false,
    discussionsDisabled: true,
  });
  expect((await api.ask(talk)).talk).not.toBeNull();
  expect((await put('settings', { discussionsDisabled: false })).status).toBe(200);
  expect((await api.ask(talk)).talk).toBeNull();
  expect((await put('default-branch', { branch: 'nope' })).status).toBe(404);
  expect((await put('protected-branches', { pattern: 'main' }, 'POST')).status).toBe(200);
  expect((await api.ask('out["k"] = kind(lambda: api.super_squash_history("admin/vis"))')).k).toBe(
    'HfHubHTTPError',
  );
  expect((await put('protected-branches/main', undefined, 'DELETE')).status).toBe(200);
  const reader = await api.ask('out["seen"] = kind(lambda: api.auth_check("admin/vis"))', READER);
  expect(reader).toEqual({ seen: 'RepositoryNotFoundError' });
  await api.ask('api.update_repo_settings("admin/vis", visibility="public")');
  const now = await api.ask(
    `
out["seen"] = [kind(lambda: api.auth_check("admin/vis")), kind(lambda: api.auth_check("admin/vis", write=True))]
out["set"] = kind(lambda: api.update_repo_settings("admin/vis", private=True))`,
    READER,
  );
  expect(now).toEqual({ seen: [null, 'HfHubHTTPError'], set: 'HfHubHTTPError' });
});

test('a duplicate has the whole history, branches, tags and large files, and goes its own way', async () => {
  const out = await api.ask(`
api.create_repo("admin/orig", private=True)
api.create_commit("admin/orig", [CommitOperationAdd("a.txt", b"a"), CommitOperationAdd("m.bin", os.urandom(3_000_000))], commit_message="m")
api.create_tag("admin/orig", tag="v1", tag_message="words")
api.create_branch("admin/orig", branch="b")
url = api.duplicate_repo("admin/orig", "acme/copy")
out["url"] = [url.repo_id, url.repo_type]
out["private"] = api.repo_info("acme/copy").private
def shape(r):
    refs = api.list_repo_refs(r)
    return [[c.commit_id for c in api.list_repo_commits(r)], [[b.ref, b.target_commit] for b in refs.branches + refs.tags]]
out["same"] = shape("admin/orig") == shape("acme/copy")
with tempfile.TemporaryDirectory() as cache:
    a, b = [open(hf_hub_download(r, "m.bin", cache_dir=cache), "rb").read() for r in ["admin/orig", "acme/copy"]]
    out["bytes"] = a == b and len(a) == 3_000_000
out["again"] = kind(lambda: api.duplicate_repo("admin/orig", "acme/copy"))
api.duplicate_repo("admin/orig", "acme/copy", exist_ok=True)
api.upload_file(path_or_fileobj=b"2", path_in_repo="only", repo_id="acme/copy")
api.delete_repo("admin/orig")
with tempfile.TemporaryDirectory() as cache:
    out["outlives"] = open(hf_hub_download("acme/copy", "m.bin", cache_dir=cache), "rb").read() == b
out["open"] = api.duplicate_repo("acme/copy", "admin/public-copy", private=False).repo_id
out["public"] = api.repo_info("admin/public-copy").private
`);
  expect(out).toEqual({
    url: ['acme/copy', 'model'],
    private: true,
    same: true,
    bytes: true,
    again: 'HfHubHTTPError',
    outlives: true,
    open: 'admin/public-copy',
    public: false,
  });
});

test('copies within and across repos, small and large, need the right to read the source and no upload', async () => {
  const out = await api.ask(`
api.create_repo("admin/src", private=True)
api.create_repo("acme/dst")
api.create_repo("admin/data", repo_type="dataset")
api.create_commit("admin/src", [CommitOperationAdd("a.txt", b"a"), CommitOperationAdd("m.bin", b"m" * 3_000_000)], commit_message="m")
api.create_commit("admin/src", [CommitOperationCopy("m.bin", "in/m2.bin"), CommitOperationCopy("a.txt", "in/a2.txt")], commit_message="within")
copy = lambda s, d: CommitOperationCopy(s, d, src_repo_id="admin/src", src_repo_type="model")
api.create_commit("acme/dst", [copy("m.bin", "m.bin"), copy("a.txt", "deep/a.txt")], commit_message="across")
api.create_commit("admin/data", [copy("m.bin", "rows.bin")], commit_message="to data", repo_type="dataset")
out["files"] = [api.list_repo_files("admin/src"), api.list_repo_files("acme/dst")]
with tempfile.TemporaryDirectory() as cache:
    out["read"] = [len(open(hf_hub_download("acme/dst", "m.bin", cache_dir=cache), "rb").read()), len(open(hf_hub_download("admin/data", "rows.bin", repo_type="dataset", cache_dir=cache), "rb").read())]
`);
  expect(out).toEqual({
    files: [
      ['.gitattributes', 'a.txt', 'in/a2.txt', 'in/m2.bin', 'm.bin'],
      ['.gitattributes', 'deep/a.txt', 'm.bin'],
    ],
    read: [3_000_000, 3_000_000],
  });
  const sha = await api.ask('out["f"] = [f.oid for f in api.list_lfs_files("admin/src")]');
  const [oid] = sha.f as string[];
  const post = (token: string, target: string, sha256: unknown) =>
    fetch(`${api.hub.url}/api/models/admin/src/lfs-files/duplicate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ target: { type: 'model', name: target }, files: [{ sha256 }] }),
    });
  await api.ask('api.create_repo("stranger/own", exist_ok=True)', STRANGER);
  expect((await post(STRANGER, 'stranger/own', oid)).status).toBe(404);
  expect((await post(api.hub.adminToken, 'stranger/own', oid)).status).toBe(403);
  const partly = await post(api.hub.adminToken, 'acme/dst', 'f'.repeat(64));
  expect([partly.status, await partly.json()]).toMatchObject([
    207,
    { processed: 1, succeeded: 0, failed: [{ sha256: 'f'.repeat(64) }] },
  ]);
});

test('large files are listed once and deleted for good, from every branch, tag and commit', async () => {
  const out = await api.ask(`
api.create_repo("admin/lfs")
api.upload_file(path_or_fileobj=b"1", path_in_repo="a.txt", repo_id="admin/lfs")
keep = api.list_repo_commits("admin/lfs")[0].commit_id
api.create_commit("admin/lfs", [CommitOperationAdd("d/bad.bin", b"b" * 2_000_000), CommitOperationAdd("good.bin", b"g" * 2_000_000)], commit_message="two")
api.create_branch("admin/lfs", branch="other")
api.create_tag("admin/lfs", tag="v1", tag_message="words")
api.delete_file("good.bin", "admin/lfs")
api.create_commit("admin/lfs", [CommitOperationCopy("d/bad.bin", "again.bin")], commit_message="three")
files = list(api.list_lfs_files("admin/lfs"))
out["listed"] = sorted([f.filename, f.size, f.ref, f.pushed_at is not None] for f in files)
bad = [f for f in files if f.filename in ("d/bad.bin", "again.bin")]
out["in_use"] = kind(lambda: api.permanently_delete_lfs_files("admin/lfs", bad, rewrite_history=False))
api.permanently_delete_lfs_files("admin/lfs", bad)
out["left"] = [[f.filename, f.ref] for f in api.list_lfs_files("admin/lfs")]
out["files"] = [api.list_repo_files("admin/lfs", revision=r) for r in ["main", "other", "v1"]]
out["titles"] = [c.title for c in api.list_repo_commits("admin/lfs")]
out["kept"] = keep in [c.commit_id for c in api.list_repo_commits("admin/lfs")]
out["gone"] = [kind(lambda: hf_hub_download("admin/lfs", n, revision=r)) for n, r in [("d/bad.bin", "main"), ("again.bin", "main"), ("d/bad.bin", "v1")]]
out["good"] = len(open(hf_hub_download("admin/lfs", "good.bin", revision="v1"), "rb").read())
`);
  expect(out).toEqual({
    listed: [
      [expect.stringMatching(/again\.bin|d\/bad\.bin/), 2_000_000, 'refs/heads/main', true],
      ['good.bin', 2_000_000, 'refs/heads/other', true],
    ],
    in_use: 'HfHubHTTPError',
    left: [['good.bin', 'refs/heads/other']],
    files: [
      ['.gitattributes', 'a.txt'],
      ['.gitattributes', 'a.txt', 'good.bin'],
      ['.gitattributes', 'a.txt', 'good.bin'],
    ],
    titles: ['three', 'Delete good.bin with huggingface_hub', 'two', expect.any(String), 'initial commit'],
    kept: true,
    gone: ['RemoteEntryNotFoundError', 'RemoteEntryNotFoundError', 'RemoteEntryNotFoundError'],
    good: 2_000_000,
  });
});
