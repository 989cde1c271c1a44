-- CreateTable
CREATE TABLE "namespace" (
    "id" CHAR(24) NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "namespace_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "user_account" (
    "id" CHAR(24) NOT NULL,
    "fullname" TEXT NOT NULL,
    "email" TEXT,
    "email_key" TEXT,
    "password_hash" TEXT,
    "is_admin" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "suspended_at" TIMESTAMPTZ(3),

    CONSTRAINT "user_account_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "org" (
    "id" CHAR(24) NOT NULL,
    "fullname" TEXT NOT NULL,
    "default_private" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "org_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "membership" (
    "org_id" CHAR(24) NOT NULL,
    "user_id" CHAR(24) NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "membership_pkey" PRIMARY KEY ("org_id","user_id")
);

-- CreateTable
CREATE TABLE "access_token" (
    "id" CHAR(24) NOT NULL,
    "user_id" CHAR(24) NOT NULL,
    "name" TEXT NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "hint" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "access_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "session" (
    "id_hash" BYTEA NOT NULL,
    "user_id" CHAR(24) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "user_agent" TEXT,

    CONSTRAINT "session_pkey" PRIMARY KEY ("id_hash")
);

-- CreateTable
CREATE TABLE "audit_event" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "action" TEXT NOT NULL,
    "actor_id" CHAR(24),
    "token_id" CHAR(24),
    "ip" TEXT,
    "request_id" TEXT,
    "subject" TEXT NOT NULL,
    "details" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "audit_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "throttle" (
    "key" BYTEA NOT NULL,
    "count" INTEGER NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "throttle_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "secret" (
    "name" TEXT NOT NULL,
    "value" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "secret_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "repo" (
    "id" BIGSERIAL NOT NULL,
    "public_id" CHAR(24) NOT NULL,
    "type" TEXT NOT NULL,
    "namespace_id" CHAR(24) NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "visibility" TEXT NOT NULL,
    "default_branch" TEXT NOT NULL DEFAULT 'main',
    "created_by" CHAR(24) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),
    "downloads" BIGINT NOT NULL DEFAULT 0,
    "likes" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "repo_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "git_object" (
    "repo_id" BIGINT NOT NULL,
    "oid" BYTEA NOT NULL,
    "kind" SMALLINT NOT NULL,
    "size" INTEGER NOT NULL,
    "data" BYTEA NOT NULL,
    "lfs_sha256" BYTEA,
    "lfs_size" BIGINT,

    CONSTRAINT "git_object_pkey" PRIMARY KEY ("repo_id","oid")
) PARTITION BY HASH ("repo_id");

-- CreateTable
CREATE TABLE "ref" (
    "repo_id" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "oid" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ref_pkey" PRIMARY KEY ("repo_id","name")
);

-- CreateTable
CREATE TABLE "ref_update" (
    "id" BIGSERIAL NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "name" TEXT NOT NULL,
    "old_oid" BYTEA,
    "new_oid" BYTEA,
    "reason" TEXT NOT NULL,
    "actor_id" CHAR(24),
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ref_update_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "commit_index" (
    "repo_id" BIGINT NOT NULL,
    "oid" BYTEA NOT NULL,
    "tree_oid" BYTEA NOT NULL,
    "parents" BYTEA[],
    "title" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "author_name" TEXT NOT NULL,
    "author_email" TEXT NOT NULL,
    "authored_at" TIMESTAMPTZ(3) NOT NULL,
    "user_id" CHAR(24),

    CONSTRAINT "commit_index_pkey" PRIMARY KEY ("repo_id","oid")
);

-- CreateTable
CREATE TABLE "stored_object" (
    "id" BIGSERIAL NOT NULL,
    "key" TEXT NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "sha256" BYTEA,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stored_object_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "xet_domain" (
    "id" BIGSERIAL NOT NULL,
    "namespace_id" CHAR(24) NOT NULL,
    "epoch" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "xet_domain_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "xorb" (
    "id" BIGSERIAL NOT NULL,
    "domain_id" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "object_id" BIGINT NOT NULL,
    "chunk_count" INTEGER NOT NULL,
    "raw_bytes" BIGINT NOT NULL,
    "disk_bytes" BIGINT NOT NULL,
    "chunk_meta" BYTEA NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'live',
    "pinned_until" TIMESTAMPTZ(3) NOT NULL,
    "created_by" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "xorb_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "xet_file" (
    "id" BIGSERIAL NOT NULL,
    "domain_id" BIGINT NOT NULL,
    "hash" BYTEA NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "terms" BYTEA NOT NULL,
    "sha256" BYTEA NOT NULL,
    "sha256_state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "xet_file_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "xet_file_xorb" (
    "file_id" BIGINT NOT NULL,
    "xorb_id" BIGINT NOT NULL,

    CONSTRAINT "xet_file_xorb_pkey" PRIMARY KEY ("file_id","xorb_id")
);

-- CreateTable
CREATE TABLE "repo_file" (
    "repo_id" BIGINT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "object_id" BIGINT,
    "xet_file_id" BIGINT,
    "created_by" CHAR(24) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "repo_file_pkey" PRIMARY KEY ("repo_id","sha256")
);

-- CreateTable
CREATE TABLE "upload" (
    "id" CHAR(24) NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "user_id" CHAR(24) NOT NULL,
    "kind" TEXT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "size_bytes" BIGINT NOT NULL,
    "part_size_bytes" BIGINT,
    "key" TEXT NOT NULL,
    "storage_upload_id" TEXT,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "upload_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "repo_facts" (
    "repo_id" BIGINT NOT NULL,
    "commit_oid" BYTEA NOT NULL,
    "card" JSONB NOT NULL,
    "pipeline_tag" TEXT,
    "library_name" TEXT,
    "license" TEXT,
    "languages" TEXT[],
    "tags" TEXT[],
    "base_models" TEXT[],
    "config" JSONB,
    "safetensors" JSONB,
    "gguf" JSONB,
    "parameters" BIGINT,
    "formats" TEXT[],
    "used_storage" BIGINT NOT NULL DEFAULT 0,
    "computed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "repo_facts_pkey" PRIMARY KEY ("repo_id")
);

-- CreateTable
CREATE TABLE "download_day" (
    "repo_id" BIGINT NOT NULL,
    "day" DATE NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "download_day_pkey" PRIMARY KEY ("repo_id","day")
);

-- CreateTable
CREATE TABLE "endpoint" (
    "id" CHAR(24) NOT NULL,
    "namespace_id" CHAR(24) NOT NULL,
    "name" TEXT NOT NULL,
    "name_key" TEXT NOT NULL,
    "repo_id" BIGINT NOT NULL,
    "commit_oid" BYTEA NOT NULL,
    "path" TEXT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "engine" TEXT NOT NULL,
    "spec" JSONB NOT NULL DEFAULT '{}',
    "desired" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "message" TEXT NOT NULL DEFAULT '',
    "created_by" CHAR(24) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "not_before" TIMESTAMPTZ(3),
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "fence" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "endpoint_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "replica" (
    "id" CHAR(24) NOT NULL,
    "endpoint_id" CHAR(24) NOT NULL,
    "generation" INTEGER NOT NULL,
    "node" TEXT NOT NULL,
    "pid" INTEGER,
    "url" TEXT,
    "state" TEXT NOT NULL,
    "exit_code" INTEGER,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ready_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "done_bytes" BIGINT,
    "total_bytes" BIGINT,

    CONSTRAINT "replica_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "endpoint_event" (
    "id" BIGSERIAL NOT NULL,
    "endpoint_id" CHAR(24) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "kind" TEXT NOT NULL,
    "state" TEXT,
    "message" TEXT NOT NULL,

    CONSTRAINT "endpoint_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "usage_counter" (
    "endpoint_id" CHAR(24) NOT NULL,
    "source" TEXT NOT NULL,
    "requests" BIGINT NOT NULL DEFAULT 0,
    "errors" BIGINT NOT NULL DEFAULT 0,
    "prompt_tokens" BIGINT NOT NULL DEFAULT 0,
    "completion_tokens" BIGINT NOT NULL DEFAULT 0,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "usage_counter_pkey" PRIMARY KEY ("endpoint_id","source")
);

-- CreateIndex
CREATE UNIQUE INDEX "namespace_name_key_key" ON "namespace"("name_key");

-- CreateIndex
CREATE UNIQUE INDEX "user_account_email_key_key" ON "user_account"("email_key");

-- CreateIndex
CREATE INDEX "membership_user_id_idx" ON "membership"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "access_token_token_hash_key" ON "access_token"("token_hash");

-- CreateIndex
CREATE INDEX "access_token_user_id_idx" ON "access_token"("user_id");

-- CreateIndex
CREATE INDEX "session_user_id_idx" ON "session"("user_id");

-- CreateIndex
CREATE INDEX "audit_event_subject_id_idx" ON "audit_event"("subject", "id");

-- CreateIndex
CREATE INDEX "audit_event_actor_id_id_idx" ON "audit_event"("actor_id", "id");

-- CreateIndex
CREATE INDEX "throttle_ends_at_idx" ON "throttle"("ends_at");

-- CreateIndex
CREATE UNIQUE INDEX "repo_public_id_key" ON "repo"("public_id");

-- CreateIndex
CREATE INDEX "repo_updated_at_idx" ON "repo"("updated_at");

-- CreateIndex
CREATE INDEX "ref_update_repo_id_name_id_idx" ON "ref_update"("repo_id", "name", "id");

-- CreateIndex
CREATE UNIQUE INDEX "stored_object_key_key" ON "stored_object"("key");

-- CreateIndex
CREATE UNIQUE INDEX "xet_domain_namespace_id_key" ON "xet_domain"("namespace_id");

-- CreateIndex
CREATE UNIQUE INDEX "xorb_domain_id_hash_key" ON "xorb"("domain_id", "hash");

-- CreateIndex
CREATE UNIQUE INDEX "xet_file_domain_id_hash_sha256_key" ON "xet_file"("domain_id", "hash", "sha256");

-- CreateIndex
CREATE INDEX "xet_file_xorb_xorb_id_idx" ON "xet_file_xorb"("xorb_id");

-- CreateIndex
CREATE INDEX "repo_file_sha256_idx" ON "repo_file"("sha256");

-- CreateIndex
CREATE INDEX "repo_file_xet_file_id_idx" ON "repo_file"("xet_file_id");

-- CreateIndex
CREATE INDEX "repo_file_object_id_idx" ON "repo_file"("object_id");

-- CreateIndex
CREATE INDEX "upload_state_expires_at_idx" ON "upload"("state", "expires_at");

-- CreateIndex
CREATE INDEX "upload_repo_id_sha256_idx" ON "upload"("repo_id", "sha256");

-- CreateIndex
CREATE INDEX "endpoint_repo_id_idx" ON "endpoint"("repo_id");

-- CreateIndex
CREATE UNIQUE INDEX "endpoint_namespace_id_name_key_key" ON "endpoint"("namespace_id", "name_key");

-- CreateIndex
CREATE INDEX "replica_endpoint_id_generation_idx" ON "replica"("endpoint_id", "generation");

-- CreateIndex
CREATE INDEX "endpoint_event_endpoint_id_id_idx" ON "endpoint_event"("endpoint_id", "id");

-- AddForeignKey
ALTER TABLE "user_account" ADD CONSTRAINT "user_account_id_fkey" FOREIGN KEY ("id") REFERENCES "namespace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "org" ADD CONSTRAINT "org_id_fkey" FOREIGN KEY ("id") REFERENCES "namespace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership" ADD CONSTRAINT "membership_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "org"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership" ADD CONSTRAINT "membership_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user_account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_token" ADD CONSTRAINT "access_token_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user_account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "session" ADD CONSTRAINT "session_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "user_account"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repo" ADD CONSTRAINT "repo_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "xet_domain" ADD CONSTRAINT "xet_domain_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "repo_facts" ADD CONSTRAINT "repo_facts_repo_id_fkey" FOREIGN KEY ("repo_id") REFERENCES "repo"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_namespace_id_fkey" FOREIGN KEY ("namespace_id") REFERENCES "namespace"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_repo_id_fkey" FOREIGN KEY ("repo_id") REFERENCES "repo"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "replica" ADD CONSTRAINT "replica_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "endpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "endpoint_event" ADD CONSTRAINT "endpoint_event_endpoint_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "endpoint"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Written by hand from here: what the Prisma schema cannot say.

-- 16 partitions keep each index small; data is already deflated, so Postgres must not compress it again.
CREATE TABLE "git_object_p00" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 0);
ALTER TABLE "git_object_p00" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p01" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 1);
ALTER TABLE "git_object_p01" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p02" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 2);
ALTER TABLE "git_object_p02" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p03" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 3);
ALTER TABLE "git_object_p03" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p04" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 4);
ALTER TABLE "git_object_p04" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p05" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 5);
ALTER TABLE "git_object_p05" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p06" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 6);
ALTER TABLE "git_object_p06" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p07" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 7);
ALTER TABLE "git_object_p07" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p08" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 8);
ALTER TABLE "git_object_p08" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p09" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 9);
ALTER TABLE "git_object_p09" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p10" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 10);
ALTER TABLE "git_object_p10" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p11" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 11);
ALTER TABLE "git_object_p11" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p12" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 12);
ALTER TABLE "git_object_p12" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p13" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 13);
ALTER TABLE "git_object_p13" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p14" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 14);
ALTER TABLE "git_object_p14" ALTER COLUMN "data" SET STORAGE EXTERNAL;
CREATE TABLE "git_object_p15" PARTITION OF "git_object" FOR VALUES WITH (MODULUS 16, REMAINDER 15);
ALTER TABLE "git_object_p15" ALTER COLUMN "data" SET STORAGE EXTERNAL;
ALTER TABLE "xorb" ALTER COLUMN "chunk_meta" SET STORAGE EXTERNAL;

-- The pointers of a repo, for checks and storage figures.
CREATE INDEX "git_object_lfs" ON "git_object" ("repo_id", "lfs_sha256") WHERE "lfs_sha256" IS NOT NULL;

-- A token name is unique among a user's live tokens.
CREATE UNIQUE INDEX "access_token_name" ON "access_token" ("user_id", lower("name")) WHERE "revoked_at" IS NULL;

-- Name search in the model list: trigrams over the lower-cased name.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX "repo_name_trgm" ON "repo" USING gin ("name_key" gin_trgm_ops);
CREATE INDEX "namespace_name_trgm" ON "namespace" USING gin ("name_key" gin_trgm_ops);

-- Names that look alike: the same word as nameSkeleton() of lib/identity/names.ts.
CREATE INDEX "namespace_skeleton" ON "namespace" (replace(replace(translate("name_key", '01l-_.', 'oii'), 'vv', 'w'), 'rn', 'm'));

-- A name belongs to one live repo; a deleted repo keeps its row, its id and its objects, but not the name.
CREATE UNIQUE INDEX "repo_live_name" ON "repo" ("type", "namespace_id", "name_key") WHERE "deleted_at" IS NULL;

-- Lists of newest and most used: only live repos.
CREATE INDEX "repo_newest" ON "repo" ("type", "updated_at" DESC, "id" DESC) WHERE "deleted_at" IS NULL;
CREATE INDEX "repo_most_used" ON "repo" ("type", "downloads" DESC, "id" DESC) WHERE "deleted_at" IS NULL;

ALTER TABLE "namespace" ADD CONSTRAINT "namespace_kind" CHECK ("kind" IN ('user', 'org')), ADD CONSTRAINT "namespace_key" CHECK ("name_key" = lower("name"));
ALTER TABLE "membership" ADD CONSTRAINT "membership_role" CHECK ("role" IN ('admin', 'write', 'contributor', 'read'));
ALTER TABLE "access_token" ADD CONSTRAINT "access_token_role" CHECK ("role" IN ('read', 'write')), ADD CONSTRAINT "access_token_hash" CHECK (octet_length("token_hash") = 32);
ALTER TABLE "repo" ADD CONSTRAINT "repo_type" CHECK ("type" IN ('model', 'dataset')), ADD CONSTRAINT "repo_visibility" CHECK ("visibility" IN ('public', 'private')), ADD CONSTRAINT "repo_name_key" CHECK ("name_key" = lower("name"));
ALTER TABLE "git_object" ADD CONSTRAINT "git_object_kind" CHECK ("kind" BETWEEN 1 AND 4), ADD CONSTRAINT "git_object_oid" CHECK (octet_length("oid") = 20), ADD CONSTRAINT "git_object_lfs_both" CHECK (("lfs_sha256" IS NULL) = ("lfs_size" IS NULL));
ALTER TABLE "ref" ADD CONSTRAINT "ref_oid" CHECK (octet_length("oid") = 20), ADD CONSTRAINT "ref_name" CHECK ("name" LIKE 'refs/%'), ADD CONSTRAINT "ref_repo_fkey" FOREIGN KEY ("repo_id") REFERENCES "repo" ("id");
ALTER TABLE "repo_file" ADD CONSTRAINT "repo_file_source" CHECK ("object_id" IS NOT NULL OR "xet_file_id" IS NOT NULL), ADD CONSTRAINT "repo_file_sha256" CHECK (octet_length("sha256") = 32),
  ADD CONSTRAINT "repo_file_repo_fkey" FOREIGN KEY ("repo_id") REFERENCES "repo" ("id"),
  ADD CONSTRAINT "repo_file_object_fkey" FOREIGN KEY ("object_id") REFERENCES "stored_object" ("id"),
  ADD CONSTRAINT "repo_file_xet_file_fkey" FOREIGN KEY ("xet_file_id") REFERENCES "xet_file" ("id");
ALTER TABLE "xorb" ADD CONSTRAINT "xorb_state" CHECK ("state" IN ('live', 'condemned')), ADD CONSTRAINT "xorb_object_fkey" FOREIGN KEY ("object_id") REFERENCES "stored_object" ("id");
ALTER TABLE "xet_file" ADD CONSTRAINT "xet_file_sha256_state" CHECK ("sha256_state" IN ('unverified', 'verified', 'bad'));
ALTER TABLE "xet_file_xorb" ADD CONSTRAINT "xet_file_xorb_file_fkey" FOREIGN KEY ("file_id") REFERENCES "xet_file" ("id"), ADD CONSTRAINT "xet_file_xorb_xorb_fkey" FOREIGN KEY ("xorb_id") REFERENCES "xorb" ("id");
ALTER TABLE "upload" ADD CONSTRAINT "upload_kind" CHECK ("kind" IN ('basic', 'multipart')), ADD CONSTRAINT "upload_state" CHECK ("state" IN ('open', 'done', 'aborted'));
ALTER TABLE "endpoint" ADD CONSTRAINT "endpoint_desired" CHECK ("desired" IN ('running', 'stopped', 'deleted')), ADD CONSTRAINT "endpoint_state" CHECK ("state" IN ('pending', 'pulling', 'starting', 'ready', 'stopped', 'failed'));
-- One live replica per endpoint and generation: a second start of the same is refused by the database.
CREATE UNIQUE INDEX "replica_live" ON "replica" ("endpoint_id", "generation") WHERE "state" <> 'exited';
