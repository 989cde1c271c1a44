-- Who uploaded a xorb that no file has named yet. Null once one did, for what the hub made itself, and for what was there before.
ALTER TABLE "xorb" ADD COLUMN "unnamed_by" TEXT;
CREATE INDEX "xorb_unnamed" ON "xorb" ("unnamed_by") INCLUDE ("disk_bytes") WHERE "unnamed_by" IS NOT NULL;
