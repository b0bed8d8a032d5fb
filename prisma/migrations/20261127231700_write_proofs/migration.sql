-- One row that /readyz writes, to prove that the database takes what is written.
CREATE TABLE "write_proofs" (
    "id" SMALLINT NOT NULL,
    "proved_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "write_proofs_pkey" PRIMARY KEY ("id")
);
