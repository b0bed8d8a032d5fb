// Generates Prisma's client into src/generated when schema.prisma has changed since the last time.
// `prisma generate` works without Prisma's native schema engine but insists that one exists, and would download it:
// naming any existing file stops that. The engine itself is never run.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const schema = `${root}prisma/schema.prisma`;
const stamp = `${root}src/generated/schema.sha256`;

const require = createRequire(import.meta.url);
const prismaVersion = require("prisma/package.json").version;
const digest = createHash("sha256").update(prismaVersion).update(readFileSync(schema)).digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== digest) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [require.resolve("prisma/build/index.js"), "generate", "--no-hints"], {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: fileURLToPath(import.meta.url),
      CHECKPOINT_DISABLE: "1",
      PRISMA_HIDE_UPDATE_MESSAGE: "1",
    },
  });
  if (status !== 0) {
    console.error(stdout, stderr);
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, digest);
}
