-- The newest chunked files of a repo, and the repos of a namespace that changed last: what an uploader is told of who asks
-- about a chunk that nobody has.
CREATE INDEX "repo_file_repo_id_xet_file_id_idx" ON "repo_file"("repo_id", "xet_file_id");
CREATE INDEX "repo_changed_last" ON "repo" ("namespace_id", "updated_at" DESC) WHERE "deleted_at" IS NULL;
