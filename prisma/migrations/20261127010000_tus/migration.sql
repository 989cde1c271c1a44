-- Uploads that browsers send piece by piece (tus), and the pieces of them that are durable.
CREATE TABLE "tus_upload" (
    "id" CHAR(24) NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "user_id" CHAR(24) NOT NULL,
    "is_guest" BOOLEAN NOT NULL,
    "path" TEXT NOT NULL,
    "revision" TEXT NOT NULL,
    "create_pr" BOOLEAN NOT NULL,
    "metadata" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "part_size_bytes" BIGINT NOT NULL,
    "claimed_sha256" BYTEA,
    "sha256" BYTEA,
    "received_bytes" BIGINT NOT NULL DEFAULT 0,
    "key" TEXT,
    "storage_upload_id" TEXT,
    "next_part" INTEGER NOT NULL DEFAULT 1,
    "tail_key" TEXT,
    "tail_bytes" BIGINT NOT NULL DEFAULT 0,
    "fence" INTEGER NOT NULL DEFAULT 0,
    "lease_until" TIMESTAMPTZ(3),
    "state" TEXT NOT NULL DEFAULT 'open',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "tus_upload_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "tus_upload_state_expires_at_idx" ON "tus_upload"("state", "expires_at");
CREATE INDEX "tus_upload_user_id_state_idx" ON "tus_upload"("user_id", "state");

CREATE TABLE "tus_part" (
    "upload_id" CHAR(24) NOT NULL,
    "number" INTEGER NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "etag" TEXT NOT NULL,

    CONSTRAINT "tus_part_pkey" PRIMARY KEY ("upload_id","number")
);
ALTER TABLE "tus_part" ADD CONSTRAINT "tus_part_upload_fkey" FOREIGN KEY ("upload_id") REFERENCES "tus_upload"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

-- "Is a file of this size among those that you may read?": without one, a browser need not hash before it sends.
CREATE INDEX "repo_file_size_bytes_idx" ON "repo_file"("size_bytes");
