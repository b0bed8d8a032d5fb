import { parseArgs } from "node:util";

export interface ChaosOptions {
  seed: number;
  messages: number;
  customers: number;
  replicas: number;
  /** The run is given up, as a failure, after this long. */
  secondsMax: number;
}

export const USAGE = "chaos.ts [--seed N] [--messages N] [--customers N] [--replicas N] [--seconds-max N] [--short]";

/**
 * Reads the command line. Without a seed a new one is made up; it is printed, so that the run can be repeated.
 * @throws TypeError that says what is wrong with it
 */
export function readOptions(args: string[], anySeed: () => number): ChaosOptions {
  const value = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: { seed: value, messages: value, customers: value, replicas: value, "seconds-max": value, short: { type: "boolean" } },
  });
  const usual = values.short
    ? { messages: 1_000, customers: 60, secondsMax: 360 }
    : { messages: 10_000, customers: 100, secondsMax: 1_800 };
  return {
    seed: toNumber("seed", values.seed, 0) ?? anySeed(),
    messages: toNumber("messages", values.messages, 1) ?? usual.messages,
    customers: toNumber("customers", values.customers, 1) ?? usual.customers,
    // One may always be down while another one serves.
    replicas: toNumber("replicas", values.replicas, 2) ?? 3,
    secondsMax: toNumber("seconds-max", values["seconds-max"], 1) ?? usual.secondsMax,
  };
}

function toNumber(name: string, text: string | undefined, min: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < min) throw new TypeError(`--${name} must be a whole number from ${min}`);
  return Number(text);
}
