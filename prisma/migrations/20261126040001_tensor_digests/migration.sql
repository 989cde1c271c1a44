-- What is inside of weights, by file: each tensor with a hash of its bytes, and how far the changed ones of two files
-- are apart. Both are functions of the bytes alone, so a row is written once and never changes.
CREATE TABLE "tensor_digest" (
    "sha256" BYTEA NOT NULL,
    "format" TEXT NOT NULL,
    "reason" TEXT,
    "tensors" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tensor_digest_pkey" PRIMARY KEY ("sha256")
);

CREATE TABLE "tensor_delta" (
    "before_sha256" BYTEA NOT NULL,
    "after_sha256" BYTEA NOT NULL,
    "deltas" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tensor_delta_pkey" PRIMARY KEY ("before_sha256","after_sha256")
);
