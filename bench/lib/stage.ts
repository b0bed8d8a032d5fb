import { type Child, startChild } from "./child.ts";
import type { ClosedLoad, Load, OpenLoad } from "./drive.ts";
import type { Mode } from "./options.ts";
import type { Server } from "./postgres.ts";
import type { Wanted } from "./requests.ts";

/** What every benchmark finds when it begins. */
export interface Stage {
  mode: Mode;
  /** How often each contender runs; undefined: as the mode says. */
  rounds: number | undefined;
  /** Null where the machine has no server's binaries. */
  server: Server | null;
  profileFolder: string | undefined;
  say(text: string): void;
}

/** The load in its own process. */
export interface Loader {
  makeCallbacks(wanted: Wanted): Promise<void>;
  makePushes(wanted: Wanted & { path: string }): Promise<void>;
  closed(load: ClosedLoad): Promise<Load>;
  open(load: OpenLoad): Promise<Load>;
  end(): Promise<void>;
}

/** Contacts are multiples of it, so that each connection has contacts of its own and their messages stay in order. */
export const CONNECTIONS = 50;

export async function startLoader(): Promise<Loader> {
  const { call, end } = await startChild("load.ts");
  return {
    makeCallbacks: (wanted) => call("makeCallbacks", wanted),
    makePushes: (wanted) => call("makePushes", wanted),
    closed: (load) => call("closed", load),
    open: (load) => call("open", load),
    end,
  };
}

/** Desk and WeChat's interface in their own process. */
export interface Outside {
  address: string;
  begin(answerMs?: number): Promise<void>;
  counts(): Promise<OutsideCounts>;
  end(): Promise<void>;
}

export interface OutsideCounts {
  submissions: number;
  sends: number;
  unsigned: number;
  repeated: number;
  disordered: number;
}

export async function startOutside(): Promise<Outside> {
  const child: Child = await startChild("outside.ts");
  return {
    address: await child.call<string>("address"),
    begin: (answerMs = 0) => child.call("begin", { answerMs }),
    counts: () => child.call("counts"),
    end: child.end,
  };
}
