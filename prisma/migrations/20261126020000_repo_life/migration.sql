-- Old addresses of repos that were renamed or moved; they lead to an id, never to another name.
CREATE TABLE "repo_redirect" (
    "type" TEXT NOT NULL,
    "namespace_id" CHAR(24) NOT NULL,
    "name_key" TEXT NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "repo_redirect_pkey" PRIMARY KEY ("type","namespace_id","name_key")
);
CREATE INDEX "repo_redirect_repo_id_idx" ON "repo_redirect"("repo_id");

-- A repo that moved to another namespace still holds files of the domain it came from.
CREATE INDEX "xet_file_hash_idx" ON "xet_file"("hash");

-- Which commits changed a path, for "last commit" and the history of a file.
ALTER TABLE "commit_index" ADD COLUMN "has_paths" BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX "commit_index_without_paths" ON "commit_index" ("repo_id", "generation") WHERE NOT "has_paths";
CREATE TABLE "path_change" (
    "repo_id" BIGINT NOT NULL,
    "path_key" BYTEA NOT NULL,
    "generation" INTEGER NOT NULL,
    "oid" BYTEA NOT NULL,
    "follow" SMALLINT NOT NULL DEFAULT 0,

    CONSTRAINT "path_change_pkey" PRIMARY KEY ("repo_id","path_key","generation","oid")
);
