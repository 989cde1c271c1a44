import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiHub, startApiHub } from './api-hub.ts';

let api: ApiHub;

beforeAll(async () => {
  api = await startApiHub();
});

afterAll(() => api?.close());

test('commits: add, copy of nothing, delete, no-op, parent that moved', async () => {
  const out = await api.ask(`
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
`);
  expect(out).toMatchObject({
    url: expect.stringMatching(`^${api.hub.url}/admin/commits/commit/[0-9a-f]{40}$`),
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
  });
});

test('branches: create, commit to, list, delete', async () => {
  const out = await api.ask(`
api.create_repo("admin/branches")
first = api.upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id="admin/branches").oid
api.create_branch("admin/branches", branch="feat/x", revision=first[:10])
out["again"] = kind(lambda: api.create_branch("admin/branches", branch="feat/x"))
api.create_branch("admin/branches", branch="feat/x", exist_ok=True)
out["bad_start"] = kind(lambda: api.create_branch("admin/branches", branch="y", revision="nope"))
api.upload_file(path_or_fileobj=b"2", path_in_repo="b", repo_id="admin/branches", revision="feat/x")
out["files"] = [api.list_repo_files("admin/branches", revision=r) for r in ["main", "feat/x"]]
out["commits"] = [c.title for c in api.list_repo_commits("admin/branches", revision="feat/x")]
out["read"] = open(hf_hub_download("admin/branches", "b", revision="feat/x")).read()
out["refs"] = sorted(b.name for b in api.list_repo_refs("admin/branches").branches)
out["main"] = kind(lambda: api.delete_branch("admin/branches", branch="main"))
api.delete_branch("admin/branches", branch="feat/x")
out["gone"] = [api.revision_exists("admin/branches", "feat/x"), kind(lambda: api.delete_branch("admin/branches", branch="feat/x"))]
`);
  expect(out).toEqual({
    again: 'HfHubHTTPError',
    bad_start: 'RevisionNotFoundError',
    files: [
      ['.gitattributes', 'a'],
      ['.gitattributes', 'a', 'b'],
    ],
    commits: ['Upload b with huggingface_hub', 'Upload a with huggingface_hub', 'initial commit'],
    read: '2',
    refs: ['feat/x', 'main'],
    main: 'HfHubHTTPError',
    gone: [false, 'RevisionNotFoundError'],
  });
});

test('a README with broken metadata is refused before anything is uploaded', async () => {
  const out = await api.ask(`
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
