-- Discussions and pull requests.
CREATE TABLE "discussion_board" (
    "repo_id" BIGINT NOT NULL,
    "last_num" INTEGER NOT NULL DEFAULT 0,
    "is_disabled" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "discussion_board_pkey" PRIMARY KEY ("repo_id")
);

CREATE TABLE "discussion" (
    "repo_id" BIGINT NOT NULL,
    "num" INTEGER NOT NULL,
    "title" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "is_pull" BOOLEAN NOT NULL,
    "author_id" CHAR(24) NOT NULL,
    "is_pinned" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "comment_count" INTEGER NOT NULL DEFAULT 0,
    "event_count" INTEGER NOT NULL DEFAULT 0,
    "text_bytes" INTEGER NOT NULL DEFAULT 0,
    "base_ref" TEXT,
    "head_oid" BYTEA,
    "base_oid" BYTEA,
    "merge_commit_oid" BYTEA,

    CONSTRAINT "discussion_pkey" PRIMARY KEY ("repo_id","num")
);
CREATE INDEX "discussion_repo_id_status_idx" ON "discussion"("repo_id", "status");

CREATE TABLE "discussion_event" (
    "id" CHAR(24) NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "num" INTEGER NOT NULL,
    "seq" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "author_id" CHAR(24),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "content" TEXT,
    "data" JSONB NOT NULL DEFAULT '{}',
    "edits" INTEGER NOT NULL DEFAULT 0,
    "edited_at" TIMESTAMPTZ(3),
    "edited_by" CHAR(24),
    "hidden_at" TIMESTAMPTZ(3),
    "hidden_by" CHAR(24),

    CONSTRAINT "discussion_event_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "discussion_event_repo_id_num_seq_key" ON "discussion_event"("repo_id", "num", "seq");

CREATE TABLE "discussion_edit" (
    "event_id" CHAR(24) NOT NULL,
    "version" INTEGER NOT NULL,
    "content" TEXT NOT NULL,
    "author_id" CHAR(24),
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "discussion_edit_pkey" PRIMARY KEY ("event_id","version")
);
