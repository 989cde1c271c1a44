-- Which xorb holds a chunk, for chunks that clients ask about: the answer to "is this stored already?".
CREATE TABLE "chunk_index" (
    "domain_id" BIGINT NOT NULL,
    "chunk_hash" BYTEA NOT NULL,
    "xorb_id" BIGINT NOT NULL,

    CONSTRAINT "chunk_index_pkey" PRIMARY KEY ("domain_id","chunk_hash")
);
CREATE INDEX "chunk_index_xorb_id_idx" ON "chunk_index"("xorb_id");
ALTER TABLE "chunk_index" ADD CONSTRAINT "chunk_index_xorb_fkey" FOREIGN KEY ("xorb_id") REFERENCES "xorb"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
