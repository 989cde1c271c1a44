-- Locks of git-lfs: one per path of a repo, whoever holds it.
CREATE TABLE "lfs_lock" (
    "id" CHAR(24) NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "path" TEXT NOT NULL,
    "owner_id" CHAR(24) NOT NULL,
    "locked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "lfs_lock_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "lfs_lock_repo_id_path_key" ON "lfs_lock"("repo_id", "path");
CREATE INDEX "lfs_lock_repo_id_id_idx" ON "lfs_lock"("repo_id", "id");
