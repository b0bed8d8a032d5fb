import type { Command } from "commander";
import { z } from "zod";
import { diagnose, type GatewayApi } from "../doctor/diagnose.ts";
import type { Finding } from "../doctor/finding.ts";
import { type Api, call } from "./api/api.ts";
import { connect } from "./api/connect.ts";
import { type Cli, type GlobalOptions, present, withExamples } from "./cli.ts";
import type { ExitCode } from "./failure.ts";
import { toTable } from "./terminal/table.ts";

export function addDoctorCommand(program: Command, cli: Cli): void {
  const command = program
    .command("doctor")
    .description("look at settings, database, keys, clock and every account, and say what to do; exits 1 when something is wrong");
  command.action(async () => {
    let api: Api | undefined;
    try {
      const findings = await diagnose(cli.readEnvironment(), async (): Promise<GatewayApi> => {
        const opened = await connect(cli, command.optsWithGlobals<GlobalOptions>());
        api = opened;
        return { get: (path) => call(opened, "GET", path), post: (path) => call(opened, "POST", path) };
      });
      present(cli, command, findings, z.array(z.custom<Finding>()), renderFindings);
      if (toFindingsExitCode(findings) !== 0) cli.failCheck();
    } finally {
      await api?.close();
    }
  });
  withExamples(command, ["wxdesk doctor", "wxdesk doctor --json | jq '.[] | select(.ok == false)'"]);
}

const MARKS = { true: "ok", false: "FAILED", warning: "warning" } as const;

/** What was found, line by line; then, for all that is not as it should be, why that matters and what to do. */
export function renderFindings(findings: readonly Finding[]): string {
  const rows = findings.map(({ name, ok, what, account, ms }) => [
    MARKS[`${ok}`],
    name,
    account,
    ms === undefined ? null : `${ms} ms`,
    what,
  ]);
  const remedies = findings.filter(({ ok }) => ok !== true).map(toRemedy);
  const failed = findings.filter(({ ok }) => ok === false).length;
  const warnings = findings.filter(({ ok }) => ok === "warning").length;
  return [
    toTable(["", "CHECK", "ACCOUNT", "TIME", "FOUND"], rows),
    ...remedies,
    `${failed} failed, ${warnings} to look at, of ${findings.length}`,
  ].join("\n\n");
}

/** A warning is no failed check. */
export function toFindingsExitCode(findings: readonly Finding[]): ExitCode {
  return findings.some(({ ok }) => ok === false) ? 1 : 0;
}

function toRemedy({ name, account, why, remedy }: Finding): string {
  const where = account === undefined ? name : `${name} (${account})`;
  return [`${where}:`, ...(why === "" ? [] : [` ${why}`]), ...(remedy === null ? [] : [`\n  → ${remedy}`])].join("");
}
