-- Exact and cheap ancestry: a commit's generation is greater than that of everything it reaches, so a walk knows where
-- to stop; the number of commits it reaches is kept where it can be had without counting.
ALTER TABLE "commit_index" ADD COLUMN "committed_at" TIMESTAMPTZ(3);
ALTER TABLE "commit_index" ADD COLUMN "generation" INTEGER;
ALTER TABLE "commit_index" ADD COLUMN "reached" INTEGER;

-- Until now no history could fork: every commit has at most one parent.
WITH RECURSIVE "chain" AS (
  SELECT "repo_id", "oid", 1 AS "depth" FROM "commit_index" WHERE "parents" = '{}'
  UNION ALL
  SELECT c."repo_id", c."oid", "chain"."depth" + 1
  FROM "chain" JOIN "commit_index" c ON c."repo_id" = "chain"."repo_id" AND c."parents"[1] = "chain"."oid"
)
UPDATE "commit_index" c SET "generation" = "chain"."depth", "reached" = "chain"."depth"
FROM "chain" WHERE c."repo_id" = "chain"."repo_id" AND c."oid" = "chain"."oid";
UPDATE "commit_index" SET "committed_at" = "authored_at";

ALTER TABLE "commit_index" ALTER COLUMN "committed_at" SET NOT NULL;
ALTER TABLE "commit_index" ALTER COLUMN "generation" SET NOT NULL;

CREATE TABLE "protected_branch" (
    "repo_id" BIGINT NOT NULL,
    "pattern" TEXT NOT NULL,
    "require_pull_request" BOOLEAN NOT NULL DEFAULT false,
    "created_by" CHAR(24) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "protected_branch_pkey" PRIMARY KEY ("repo_id","pattern")
);
