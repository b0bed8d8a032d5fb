import type { Command } from "commander";
import { z } from "zod";
import { type Cli, present, withExamples } from "./cli.ts";

const answer = z.object({ applied: z.array(z.string()) });

export function addMigrateCommand(program: Command, cli: Cli): void {
  const command = program.command("migrate").description("bring the database up to this build; the gateway does so itself at its start");
  command.action(async () => {
    present(cli, command, { applied: await applyMigrations(cli) }, answer, ({ applied }) =>
      applied.length === 0
        ? "Nothing to apply: the database is up to this build."
        : `Applied:\n${applied.map((name) => `  ${name}`).join("\n")}`,
    );
  });
  withExamples(command, ["wxdesk migrate", "DATABASE_URL=postgresql://… WXDESK_MASTER_KEY_FILE=… wxdesk migrate"]);
}

async function applyMigrations(cli: Cli): Promise<string[]> {
  const config = cli.readConfig();
  const [{ openLocked }, { migrate }, { toStartProblem }] = await Promise.all([
    import("../app/open-store.ts"),
    import("../store/database/migrate.ts"),
    import("../store/database/to-database-fault.ts"),
  ]);
  const { database, unlock, discard } = await openLocked(config);
  try {
    const applied = await migrate(database);
    await database.close();
    await unlock();
    return applied;
  } catch (error) {
    await database.close().catch(() => {});
    await discard();
    throw toStartProblem(error);
  }
}
