import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiHub, startApiHub } from './api-hub.ts';

let api: ApiHub;

beforeAll(async () => {
  api = await startApiHub();
});

afterAll(() => api?.close());

test.each(['model', 'dataset'])(
  'tags of a %s: plain and annotated, listed with their commit, read, deleted',
  async (type) => {
    const out = await api.ask(`
kw = dict(repo_type="${type}")
api.create_repo("admin/tags", **kw)
first = api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id="admin/tags", **kw).oid
api.upload_file(path_or_fileobj=b"2", path_in_repo="a", repo_id="admin/tags", **kw)
api.create_tag("admin/tags", tag="v1", revision=first[:9], **kw)
api.create_tag("admin/tags", tag="v2", tag_message="the second\\n\\nwith words", **kw)
out["again"] = kind(lambda: api.create_tag("admin/tags", tag="v1", **kw))
api.create_tag("admin/tags", tag="v1", exist_ok=True, **kw)
out["bad_rev"] = kind(lambda: api.create_tag("admin/tags", tag="v3", revision="nope", **kw))
out["bad_name"] = kind(lambda: api.create_tag("admin/tags", tag="a..b", **kw))
api.create_branch("admin/tags", branch="v1", **kw)
refs = api.list_repo_refs("admin/tags", **kw)
head = api.list_repo_commits("admin/tags", **kw)[0].commit_id
out["tags"] = [[t.name, t.ref, t.target_commit == (first if t.name == "v1" else head)] for t in refs.tags]
out["tagged"] = open(hf_hub_download("admin/tags", "a", revision="refs/tags/v1", **kw)).read()
out["annotated"] = [open(hf_hub_download("admin/tags", "a", revision="v2", **kw)).read(), api.repo_info("admin/tags", revision="v2", **kw).sha == head]
api.delete_tag("admin/tags", tag="v1", **kw)
api.delete_tag("admin/tags", tag="v2", **kw)
out["gone"] = [kind(lambda: api.delete_tag("admin/tags", tag="v1", **kw)), api.list_repo_refs("admin/tags", **kw).tags]
`);
    expect(out).toEqual({
      again: 'HfHubHTTPError',
      bad_rev: 'RevisionNotFoundError',
      bad_name: 'BadRequestError',
      tags: [
        ['v1', 'refs/tags/v1', true],
        ['v2', 'refs/tags/v2', true],
      ],
      tagged: '1',
      annotated: ['2', true],
      gone: ['RevisionNotFoundError', []],
    });
  },
);

test('super-squash leaves one commit on its branch, with its files, and others untouched', async () => {
  const out = await api.ask(`
api.create_repo("admin/squash")
for i in range(3):
    api.upload_file(path_or_fileobj=str(i).encode(), path_in_repo=f"f{i}", repo_id="admin/squash")
api.create_branch("admin/squash", branch="v0.1")
api.super_squash_history("admin/squash", branch="v0.1", commit_message="one for all")
out["squashed"] = [c.title for c in api.list_repo_commits("admin/squash", revision="v0.1")]
out["main"] = len(api.list_repo_commits("admin/squash"))
out["files"] = api.list_repo_files("admin/squash", revision="v0.1") == api.list_repo_files("admin/squash")
api.super_squash_history("admin/squash")
out["main_after"] = [c.title for c in api.list_repo_commits("admin/squash")]
out["missing"] = kind(lambda: api.super_squash_history("admin/squash", branch="nope"))
out["long"] = kind(lambda: api.super_squash_history("admin/squash", commit_message="x" * 501))
api.upload_file(path_or_fileobj=b"n", path_in_repo="n", repo_id="admin/squash")
out["next"] = len(api.list_repo_commits("admin/squash"))
`);
  expect(out).toEqual({
    squashed: ['one for all'],
    main: 4,
    files: true,
    main_after: ["Super-squash branch 'main' using huggingface_hub"],
    missing: 'RevisionNotFoundError',
    long: 'BadRequestError',
    next: 2,
  });
});

test('a branch may begin empty, and be set elsewhere when asked to', async () => {
  const headers = { authorization: `Bearer ${api.hub.adminToken}`, 'content-type': 'application/json' };
  const post = async (path: string, body: unknown) =>
    (await fetch(`${api.hub.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  await api.ask(
    'api.create_repo("admin/empty"); api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id="admin/empty")',
  );
  expect(await post('/api/models/admin/empty/branch/fresh', { emptyBranch: true })).toBe(200);
  expect(await post('/api/models/admin/empty/branch/fresh', { emptyBranch: true })).toBe(409);
  expect(await post('/api/models/admin/empty/branch/x', { emptyBranch: true, startingPoint: 'main' })).toBe(
    400,
  );
  const out = await api.ask(`
out["files"] = api.list_repo_files("admin/empty", revision="fresh")
out["commits"] = len(api.list_repo_commits("admin/empty", revision="fresh"))
api.upload_file(path_or_fileobj=b"2", path_in_repo="b", repo_id="admin/empty", revision="fresh")
out["later"] = api.list_repo_files("admin/empty", revision="fresh")
`);
  expect(out).toEqual({ files: [], commits: 1, later: ['b'] });
  expect(await post('/api/models/admin/empty/branch/fresh', { overwrite: true })).toBe(200);
  expect((await api.ask('out["f"] = api.list_repo_files("admin/empty", revision="fresh")')).f).toContain('a');
});
