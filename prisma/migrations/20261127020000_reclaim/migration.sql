-- Reclaiming: what it needs to know of age and of being on the way out.

-- When a git object was last written, also when a writer found that it was there already.
ALTER TABLE "git_object" ADD COLUMN "touched_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;
-- Grows with every batch of git objects that is taken out of a repo: whoever lands a commit compares it.
ALTER TABLE "repo" ADD COLUMN "git_sweeps" INTEGER NOT NULL DEFAULT 0;
-- When an edge was last asked for by somebody who may commit it.
ALTER TABLE "repo_file" ADD COLUMN "used_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- Since when nothing leads here. The row goes after a second grace, unless somebody led here again.
ALTER TABLE "stored_object" ADD COLUMN "doomed_at" TIMESTAMPTZ(3);
ALTER TABLE "xet_file" ADD COLUMN "doomed_at" TIMESTAMPTZ(3);
ALTER TABLE "xorb" ADD COLUMN "condemned_at" TIMESTAMPTZ(3);

CREATE TABLE "reclaim_run" (
    "id" BIGSERIAL NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "cause" TEXT NOT NULL,
    "user_id" CHAR(24),
    "is_dry" BOOLEAN NOT NULL,
    "options" JSONB NOT NULL DEFAULT '{}',
    "state" TEXT NOT NULL,
    "phase" TEXT NOT NULL DEFAULT '',
    "result" JSONB,
    "message" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "reclaim_run_pkey" PRIMARY KEY ("id")
);

-- Written by hand from here: what the Prisma schema cannot say. Small indexes: only what is on its way out.
CREATE INDEX "stored_object_leaving" ON "stored_object" ("id") WHERE "state" <> 'live' OR "doomed_at" IS NOT NULL;
CREATE INDEX "xet_file_doomed" ON "xet_file" ("id") WHERE "doomed_at" IS NOT NULL;
CREATE INDEX "xorb_condemned" ON "xorb" ("id") WHERE "state" = 'condemned';
CREATE INDEX "upload_open_key" ON "upload" ("key") WHERE "state" = 'open';
ALTER TABLE "reclaim_run" ADD CONSTRAINT "reclaim_run_state" CHECK ("state" IN ('running', 'done', 'stopped', 'refused', 'failed'));
-- What was condemned before there was a date waits from now on.
UPDATE "xorb" SET "condemned_at" = now() WHERE "state" = 'condemned';
