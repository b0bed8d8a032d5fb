import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    setupFiles: ["test/support/setup.ts"],
    reporters: ["default", "./test/support/reporter.ts"],
    // Gateways, emulators and a database in each file; every wait has a limit of its own that names what it waited for. All limits only
    // end what hangs: on a busy machine a second's work takes many.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    pool: "forks",
    // Most files wait for processes and the database, not for the processor.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    env: { NO_COLOR: "1" },
  },
});
