-- Several things can be wrong with an account at once, and each ends by itself: a list of {code, sentence, since}, the latest first.
ALTER TABLE "accounts" ADD COLUMN "warnings" JSONB NOT NULL DEFAULT '[]';
UPDATE "accounts" SET "warnings" = jsonb_build_array("warning") WHERE "warning" IS NOT NULL;
ALTER TABLE "accounts" DROP COLUMN "warning";
