-- Whether two writers may have overlapped: then the bytes are read back, since the later one of two parts of one number may be either's.
ALTER TABLE "tus_upload" ADD COLUMN "was_taken_over" BOOLEAN NOT NULL DEFAULT false;
