import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiHub, STRANGER, startApiHub } from './api-hub.ts';

let api: ApiHub;

beforeAll(async () => {
  api = await startApiHub();
});

afterAll(() => api?.close());

test('a discussion: open, comment, edit, hide, rename, close, reopen, list with every filter', async () => {
  const out = await api.ask(`
repo = "admin/talk"
api.create_repo(repo)
d = api.create_discussion(repo, "Where are the weights?", description="I **looked** everywhere <b>")
out["made"] = [d.num, d.status, d.author, d.is_pull_request, d.repo_id, d.repo_type, d.url, d.git_reference, d.target_branch]
out["first"] = [d.events[0].type, d.events[0].content, d.events[0].rendered, d.events[0].edited, d.events[0].number_of_edits]
e = api.comment_discussion(repo, d.num, "here")
out["comment"] = [e.type, e.content, e.author, e.hidden]
e2 = api.edit_discussion_comment(repo, d.num, e.id.upper(), "there")
out["edit"] = [e2.id == e.id, e2.content, e2.edited, e2.number_of_edits, e2.last_edited_by, len(e2.edit_history)]
h = api.hide_discussion_comment(repo, d.num, e.id)
out["hide"] = [h.hidden, h.content]
t = api.rename_discussion(repo, d.num, "Found them")
out["rename"] = [t.old_title, t.new_title]
s = api.change_discussion_status(repo, d.num, "closed", comment="done")
out["close"] = s.new_status
out["twice"] = kind(lambda: api.change_discussion_status(repo, d.num, "closed"))
out["types"] = [x.type for x in api.get_discussion_details(repo, d.num).events]
api.change_discussion_status(repo, d.num, "open")
a = api.create_discussion(repo, "Another one")
p = api.create_pull_request(repo, "A change to come")
out["nums"] = [a.num, p.num]
names = lambda **k: [x.num for x in api.get_repo_discussions(repo, **k)]
out["lists"] = [names(), names(discussion_type="pull_request"), names(discussion_type="discussion"), names(discussion_status="open"), names(discussion_status="closed"), names(author="admin"), names(author="nobody-here")]
out["bad"] = [kind(lambda: api.create_discussion(repo, "ab")), kind(lambda: api.comment_discussion(repo, 77, "x")), kind(lambda: api.get_discussion_details(repo, 77)), kind(lambda: api.create_discussion("admin/nothere", "abc")), kind(lambda: api.edit_discussion_comment(repo, a.num, e.id, "of another discussion"))]
many = [api.create_discussion(repo, f"Number {i}").num for i in range(52)]
out["paged"] = len(names()) 
`);
  expect(out).toMatchObject({
    made: [
      1,
      'open',
      'admin',
      false,
      'admin/talk',
      'model',
      `${api.hub.url}/admin/talk/discussions/1`,
      null,
      null,
    ],
    first: ['comment', 'I **looked** everywhere <b>', expect.stringContaining('&lt;b&gt;'), false, 0],
    comment: ['comment', 'here', 'admin', false],
    edit: [true, 'there', true, 1, 'admin', 1],
    hide: [true, 'This comment has been hidden'],
    rename: ['Where are the weights?', 'Found them'],
    close: 'closed',
    twice: 'HfHubHTTPError',
    types: ['comment', 'comment', 'title-change', 'comment', 'status-change'],
    nums: [2, 3],
    lists: [[3, 2, 1], [3], [2, 1], [3, 2, 1], [], [3, 2, 1], []],
    bad: ['BadRequestError', 'HfHubHTTPError', 'HfHubHTTPError', 'RepositoryNotFoundError', 'HfHubHTTPError'],
    paged: 55,
  });
});

test('a pull request: draft with its ref, commits to it, publish, merge; for models and datasets', async () => {
  for (const type of ['model', 'dataset']) {
    const out = await api.ask(`
repo, t = "admin/pr-${type}", dict(repo_type="${type}")
api.create_repo(repo, **t)
api.upload_file(path_or_fileobj=b"one\\ntwo\\nthree\\nfour\\nfive\\n", path_in_repo="notes.txt", repo_id=repo, **t)
main = api.repo_info(repo, **t).sha
p = api.create_pull_request(repo, "Better notes", **t)
out["draft"] = [p.status, p.git_reference, p.target_branch, p.conflicting_files, p.merge_commit_oid]
refs = api.list_repo_refs(repo, include_pull_requests=True, **t)
out["refs"] = [[r.ref for r in refs.pull_requests], refs.pull_requests[0].target_commit == main]
c = api.create_commit(repo, [CommitOperationAdd("new.txt", b"new"), CommitOperationAdd("notes.txt", b"one\\ntwo\\nthree\\nfour\\nFIVE\\n")], commit_message="add new", revision="refs/pr/1", **t)
api.upload_file(path_or_fileobj=b"x" * 100, path_in_repo="w.bin", repo_id=repo, revision="refs/pr/1", **t)
out["main_untouched"] = api.repo_info(repo, **t).sha == main
out["files"] = sorted(api.list_repo_files(repo, revision="refs/pr/1", **t))
d = api.get_discussion_details(repo, 1, **t)
out["events"] = [(e.type, getattr(e, "summary", None)) for e in d.events]
out["diff"] = d.diff
out["draft_merge"] = kind(lambda: api.merge_pull_request(repo, 1, **t))
api.change_discussion_status(repo, 1, "open", **t)
api.upload_file(path_or_fileobj=b"ONE\\ntwo\\nthree\\nfour\\nfive\\n", path_in_repo="notes.txt", repo_id=repo, **t)
api.merge_pull_request(repo, 1, comment="thanks", **t)
d = api.get_discussion_details(repo, 1, **t)
head = api.repo_info(repo, **t).sha
out["merged"] = [d.status, d.merge_commit_oid == head, [e.type for e in d.events[-3:]], d.events[-1].new_status]
out["notes"] = open(hf_hub_download(repo, "notes.txt", **t)).read()
out["titles"] = [x.title for x in api.list_repo_commits(repo, **t)][:2]
out["weights"] = open(hf_hub_download(repo, "w.bin", **t), "rb").read() == b"x" * 100
out["again"] = kind(lambda: api.merge_pull_request(repo, 1, **t))
out["late"] = kind(lambda: api.upload_file(path_or_fileobj=b"y", path_in_repo="late", repo_id=repo, revision="refs/pr/1", **t))
`);
    expect(out).toMatchObject({
      draft: ['draft', 'refs/pr/1', 'refs/heads/main', [], null],
      refs: [['refs/pr/1'], true],
      main_untouched: true,
      files: ['.gitattributes', 'new.txt', 'notes.txt', 'w.bin'],
      events: [
        ['comment', null],
        ['commit', 'add new'],
        ['commit', 'Upload w.bin with huggingface_hub'],
      ],
      diff: expect.stringMatching(
        /^diff --git a\/new.txt b\/new.txt\nnew file mode 100644\n[^]*\n-five\n\+FIVE\n/,
      ),
      draft_merge: 'BadRequestError',
      merged: ['merged', true, ['status-change', 'comment', 'status-change'], 'merged'],
      notes: 'ONE\ntwo\nthree\nfour\nFIVE\n',
      titles: ['Better notes (#1)', 'Upload notes.txt with huggingface_hub'],
      weights: true,
      again: 'HfHubHTTPError',
      late: 'HfHubHTTPError',
    });
  }
});

test('a stranger proposes with create_pr: small, Xet and LFS files, a folder, more commits; and may do nothing else', async () => {
  await api.ask(`
api.create_repo("admin/open")
api.create_repo("admin/shut", private=True)
`);
  const out = await api.ask(
    `
repo = "admin/open"
small = api.upload_file(path_or_fileobj=b"hi", path_in_repo="hi.txt", repo_id=repo, create_pr=True, commit_message="Say hi", commit_description="because")
out["small"] = [small.pr_url, small.pr_revision, small.pr_num]
big = os.urandom(3_000_000)
with tempfile.TemporaryDirectory() as dir:
    os.makedirs(dir + "/sub")
    open(dir + "/sub/model.safetensors", "wb").write(big)
    open(dir + "/README.md", "w").write("---\\nlicense: mit\\n---\\n# hi\\n")
    xet = api.upload_file(path_or_fileobj=dir + "/sub/model.safetensors", path_in_repo="m.safetensors", repo_id=repo, create_pr=True)
    folder = api.upload_folder(repo_id=repo, folder_path=dir, create_pr=True, commit_message="A whole folder")
out["xet"] = [xet.pr_num, open(hf_hub_download(repo, "m.safetensors", revision=xet.pr_revision), "rb").read() == big]
out["folder"] = [folder.pr_num, sorted(api.list_repo_files(repo, revision=folder.pr_revision))]
lfs = api.upload_file(path_or_fileobj=io.BytesIO(b"lfs" * 1000), path_in_repo="l.bin", repo_id=repo, create_pr=True)
out["lfs"] = [lfs.pr_num, open(hf_hub_download(repo, "l.bin", revision=lfs.pr_revision), "rb").read() == b"lfs" * 1000]
more = api.upload_file(path_or_fileobj=io.BytesIO(b"more" * 1000), path_in_repo="more.bin", repo_id=repo, revision=lfs.pr_revision)
d = api.get_discussion_details(repo, small.pr_num)
out["details"] = [d.title, d.status, d.author, [(e.type, getattr(e, "content", None) or getattr(e, "summary", None)) for e in d.events], d.conflicting_files]
out["refused"] = [kind(f) for f in [
  lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo),
  lambda: api.upload_file(path_or_fileobj=io.BytesIO(b"x"), path_in_repo="x.bin", repo_id=repo),
  lambda: api.merge_pull_request(repo, small.pr_num),
  lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, revision="nope", create_pr=True),
  lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, revision=small.oid, create_pr=True),
  lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="admin/shut", create_pr=True),
  lambda: api.create_discussion("admin/shut", "Hello there"),
  lambda: list(api.get_repo_discussions("admin/shut")),
]]
own = api.create_commit(repo, [CommitOperationAdd("hi.txt", b"hi again")], commit_message="again", revision=small.pr_revision)
out["own"] = len(api.get_discussion_details(repo, small.pr_num).events)
`,
    STRANGER,
  );
  expect(out).toMatchObject({
    small: [`${api.hub.url}/admin/open/discussions/1`, 'refs/pr/1', 1],
    xet: [2, true],
    folder: [3, ['.gitattributes', 'README.md', 'sub/model.safetensors']],
    lfs: [4, true],
    details: [
      'Say hi',
      'open',
      'stranger',
      [
        ['comment', 'because'],
        ['commit', 'Say hi'],
      ],
      [],
    ],
    refused: [
      'HfHubHTTPError',
      'HfHubHTTPError',
      'HfHubHTTPError',
      'RevisionNotFoundError',
      'RevisionNotFoundError',
      'RepositoryNotFoundError',
      'RepositoryNotFoundError',
      'RepositoryNotFoundError',
    ],
    own: 3,
  });
  const merged = await api.ask(`
repo = "admin/open"
for n in [1, 2, 4]:
    api.merge_pull_request(repo, n)
out["conflict"] = None
api.change_discussion_status(repo, 3, "open")
api.upload_file(path_or_fileobj=b"---\\nlicense: apache-2.0\\n---\\n", path_in_repo="README.md", repo_id=repo)
out["conflicting"] = api.get_discussion_details(repo, 3).conflicting_files
try:
    api.merge_pull_request(repo, 3)
except HfHubHTTPError as e:
    out["conflict"] = [e.response.status_code, e.response.json()["filesWithConflicts"]]
out["files"] = sorted(api.list_repo_files(repo))
out["read"] = len(open(hf_hub_download(repo, "m.safetensors"), "rb").read())
out["message"] = [c.message for c in api.list_repo_commits(repo) if c.title.startswith("Say hi")]
`);
  expect(merged).toMatchObject({
    conflicting: ['README.md'],
    conflict: [409, ['README.md']],
    files: ['.gitattributes', 'README.md', 'hi.txt', 'l.bin', 'm.safetensors', 'more.bin'],
    read: 3_000_000,
    message: [expect.stringContaining('Co-authored-by: stranger <stranger@')],
  });
});
