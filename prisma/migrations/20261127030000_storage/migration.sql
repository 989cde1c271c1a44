-- What repos hold in logical bytes: each distinct large file once, by its own size. Kept by the triggers below in the
-- transaction that changes the edges, so that it can neither lag nor drift.
CREATE TABLE "repo_storage" (
    "repo_id" BIGINT NOT NULL,
    "logical_bytes" BIGINT NOT NULL DEFAULT 0,
    "file_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "repo_storage_pkey" PRIMARY KEY ("repo_id")
);
INSERT INTO "repo_storage" ("repo_id", "logical_bytes", "file_count")
  SELECT "repo_id", sum("size_bytes"), count(*) FROM "repo_file" GROUP BY "repo_id";

CREATE FUNCTION "count_repo_storage"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO repo_storage AS s (repo_id, logical_bytes, file_count)
      SELECT repo_id, sum(size_bytes), count(*) FROM after_rows GROUP BY repo_id ORDER BY repo_id
    ON CONFLICT (repo_id) DO UPDATE
      SET logical_bytes = s.logical_bytes + EXCLUDED.logical_bytes, file_count = s.file_count + EXCLUDED.file_count;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO repo_storage AS s (repo_id, logical_bytes, file_count)
      SELECT repo_id, -sum(size_bytes), -count(*) FROM before_rows GROUP BY repo_id ORDER BY repo_id
    ON CONFLICT (repo_id) DO UPDATE
      SET logical_bytes = s.logical_bytes + EXCLUDED.logical_bytes, file_count = s.file_count + EXCLUDED.file_count;
  ELSE
    INSERT INTO repo_storage AS s (repo_id, logical_bytes, file_count)
      SELECT repo_id, sum(bytes), sum(files) FROM (
        SELECT repo_id, size_bytes AS bytes, 1 AS files FROM after_rows
        UNION ALL SELECT repo_id, -size_bytes, -1 FROM before_rows) change
      GROUP BY repo_id HAVING sum(bytes) <> 0 OR sum(files) <> 0 ORDER BY repo_id
    ON CONFLICT (repo_id) DO UPDATE
      SET logical_bytes = s.logical_bytes + EXCLUDED.logical_bytes, file_count = s.file_count + EXCLUDED.file_count;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "repo_file_inserted" AFTER INSERT ON "repo_file"
  REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION "count_repo_storage"();
CREATE TRIGGER "repo_file_deleted" AFTER DELETE ON "repo_file"
  REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION "count_repo_storage"();
CREATE TRIGGER "repo_file_updated" AFTER UPDATE ON "repo_file"
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "count_repo_storage"();

-- Limits that an administrator set for one user, organization or repo, in place of the configured ones.
CREATE TABLE "storage_quota" (
    "subject_id" CHAR(24) NOT NULL,
    "limit_bytes" BIGINT NOT NULL,
    "set_by" CHAR(24) NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "storage_quota_pkey" PRIMARY KEY ("subject_id")
);

-- The picture of a repo's storage as it was computed last.
CREATE TABLE "storage_report" (
    "repo_id" BIGINT NOT NULL,
    "report" JSONB NOT NULL,
    "computed_at" TIMESTAMPTZ(3) NOT NULL,
    "took_ms" INTEGER NOT NULL,

    CONSTRAINT "storage_report_pkey" PRIMARY KEY ("repo_id")
);

-- One domain may belong to the whole hub: LARDER_DEDUP_DOMAIN.
ALTER TABLE "xet_domain" ALTER COLUMN "namespace_id" DROP NOT NULL;
CREATE UNIQUE INDEX "xet_domain_of_hub" ON "xet_domain" ((1)) WHERE "namespace_id" IS NULL;

-- Files that were uploaded before there was an index: the chunks that clients ask about, by the last two bits of their
-- 26th byte and all of the 25th; the first of a xorb stands for the first of a file.
INSERT INTO "chunk_index" ("domain_id", "chunk_hash", "xorb_id")
  SELECT DISTINCT ON (x."domain_id", chunk.hash) x."domain_id", chunk.hash, x."id"
  FROM "xorb" x
  CROSS JOIN LATERAL generate_series(0, x."chunk_count" - 1) AS i
  CROSS JOIN LATERAL (SELECT substring(x."chunk_meta" FROM i * 40 + 1 FOR 32) AS hash) AS chunk
  WHERE x."state" = 'live' AND EXISTS (SELECT 1 FROM "xet_file_xorb" e WHERE e."xorb_id" = x."id")
    AND (i = 0 OR (get_byte(chunk.hash, 24) = 0 AND get_byte(chunk.hash, 25) & 3 = 0))
  ORDER BY x."domain_id", chunk.hash, x."id"
  ON CONFLICT DO NOTHING;
