-- What a look at stored bytes found, and when it was last done.
ALTER TABLE "stored_object" ADD COLUMN "damage" TEXT, ADD COLUMN "scrubbed_at" TIMESTAMPTZ(3);
CREATE INDEX "stored_object_scrubbed_at_idx" ON "stored_object"("scrubbed_at");

-- Logs of registered files in the store, from which the Xet tables can be made again.
CREATE TABLE "xet_shard" (
    "id" BIGSERIAL NOT NULL,
    "domain_id" BIGINT NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "object_id" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "xet_shard_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "xet_shard_object_id_idx" ON "xet_shard"("object_id");
ALTER TABLE "xet_shard" ADD CONSTRAINT "xet_shard_object_fkey" FOREIGN KEY ("object_id") REFERENCES "stored_object"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;

CREATE TABLE "xet_shard_file" (
    "shard_id" BIGINT NOT NULL,
    "file_id" BIGINT NOT NULL,

    CONSTRAINT "xet_shard_file_pkey" PRIMARY KEY ("shard_id","file_id")
);
CREATE INDEX "xet_shard_file_file_id_idx" ON "xet_shard_file"("file_id");
ALTER TABLE "xet_shard_file" ADD CONSTRAINT "xet_shard_file_shard_fkey" FOREIGN KEY ("shard_id") REFERENCES "xet_shard"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
ALTER TABLE "xet_shard_file" ADD CONSTRAINT "xet_shard_file_file_fkey" FOREIGN KEY ("file_id") REFERENCES "xet_file"("id") ON DELETE CASCADE ON UPDATE NO ACTION;

ALTER TABLE "xorb" DROP CONSTRAINT "xorb_state", ADD CONSTRAINT "xorb_state" CHECK ("state" IN ('live', 'condemned', 'lost'));
ALTER TABLE "xet_file" DROP CONSTRAINT "xet_file_sha256_state", ADD CONSTRAINT "xet_file_sha256_state" CHECK ("sha256_state" IN ('unverified', 'verified', 'bad', 'lost'));
