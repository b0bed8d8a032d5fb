import { parseArgs } from "node:util";

/** `quick` shows that everything runs; `full` adds what takes long. */
export type Mode = "quick" | "normal" | "full";

export interface Options {
  names: string[];
  mode: Mode;
  /** How often each contender runs, when it is not what the mode says. */
  rounds: number | undefined;
  /** Where the results go besides bench/results. */
  json: string | undefined;
  /** Renders docs/benchmarks.md from the results afterwards. */
  rendersDocs: boolean;
  /** A folder for processor profiles of the gateway. */
  profileFolder: string | undefined;
}

export const USAGE = "npm run bench -- [<name> …] [--quick | --full] [--rounds <n>] [--json <file>] [--docs] [--cpu-prof <folder>]";

/** @throws TypeError that says what is wrong with the command line */
export function readOptions(args: string[], known: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean" },
      full: { type: "boolean" },
      docs: { type: "boolean" },
      rounds: { type: "string" },
      json: { type: "string" },
      "cpu-prof": { type: "string" },
    },
  });
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`there is no benchmark "${unknown}", only ${known.join(", ")}`);
  if (values.quick && values.full) throw new TypeError("--quick and --full exclude each other");
  return {
    names: positionals.length > 0 ? positionals : [...known],
    mode: values.quick ? "quick" : values.full ? "full" : "normal",
    rounds: toRounds(values.rounds),
    json: values.json,
    rendersDocs: values.docs ?? false,
    profileFolder: values["cpu-prof"],
  };
}

function toRounds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new TypeError("--rounds must be a whole number from 1 to 999");
  return Number(text);
}
