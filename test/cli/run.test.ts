import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "../../src/cli/run.ts";
import { readConfig } from "../../src/config.ts";
import { VERSION } from "../../src/version.ts";
import { createScript, wxdeskHere } from "./wxdesk.ts";

const CLI = {
  terminal: createScript({ stdout: "", stderr: "" }, ""),
  readEnvironment: () => ({}),
  readConfig: () => readConfig({}),
  failCheck: () => {},
};

const COMMANDS = leaves(createProgram(CLI));

function leaves(command: Command, path: string[] = []): string[][] {
  return command.commands.length === 0 ? [path] : command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

test("alone it prints its help, and that is fine", async () => {
  expect(await wxdeskHere([])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Usage: wxdesk[\s\S]*Exit codes/), stderr: "" });
  expect(await wxdeskHere(["--version"])).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
});

test.each(COMMANDS.map((path) => [path.join(" "), path] as const))("the help of %j teaches by example", async (name, path) => {
  const { code, stdout } = await wxdeskHere([...path, "--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples:\\n  .*wxdesk ${name}`));
});

test("no option takes the value of a secret: what stands on a command line is in every process list", () => {
  const options: string[] = [];
  const collect = (command: Command) => {
    options.push(...command.options.map(({ flags }) => flags));
    for (const inner of command.commands) collect(inner);
  };
  collect(createProgram(CLI));
  const secretive = options.filter((flags) => /secret|token|key|password/i.test(flags));
  expect(secretive.length).toBeGreaterThan(5);
  for (const flags of secretive) expect(flags).toMatch(/-file <path>$/);
});

describe("a command that is put wrongly ends with 2 and says what would be right", () => {
  test.each([
    ["an unknown command", ["acount"], "Did you mean account?"],
    ["an unknown option", ["account", "list", "--jsn"], "Did you mean --json?"],
    ["a group without a command", ["account"], "Usage: wxdesk account"],
    ["a missing argument", ["account", "show"], "missing required argument 'id'"],
    ["too many arguments", ["account", "show", "a", "b"], "too many arguments"],
    ["an option that must be there", ["key", "create", "--name", "x"], "'--role <role>' not specified"],
    ["a value that is none of the choices", ["secret", "rotate", "shop", "tokn"], "Allowed choices are token"],
    ["a time without a unit", ["secret", "rotate", "shop", "token", "--overlap", "5"], "such as 30m, 12h or 90d"],
    ["a number that is none", ["account", "set", "shop", "--desk-timeout", "soon"], "Give a whole number"],
    ["a moment that is none", ["conversation", "list", "--since", "yesterday"], "Give how long ago"],
    ["a secret that cannot be made up", ["secret", "rotate", "shop", "deskKey"], "--value-file"],
    ["nothing to change", ["account", "set", "shop"], "say what should change"],
  ])("%s", async (_, args, sentence) => {
    expect(await wxdeskHere(args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(sentence) });
  });
});
