import { availableParallelism, cpus, totalmem } from "node:os";

/** What a figure depends on, without a name that tells whose machine it is. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGib: number;
  node: string;
  postgres: string;
}

export function describeMachine(postgres: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres,
  };
}
