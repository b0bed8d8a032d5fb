import type { Measured } from "./measures.ts";
import { type Spread, toRatio, toSpread } from "./statistics.ts";

/** Processor time per message of one contender in one round. */
interface Cost {
  cpuUs: number;
  postgresUs: number;
}

interface Round extends Cost {
  perSecond: number;
}

type Rounds<Name extends string, Each> = { readonly [Contender in Name]?: readonly Each[] };

const toPerSecond = ({ perSecond }: Round) => perSecond;
const toGatewayUs = ({ cpuUs }: Cost) => cpuUs;
const toAllUs = ({ cpuUs, postgresUs }: Cost) => cpuUs + postgresUs;
const toPerCoreSecond = (cost: Cost) => 1e6 / toAllUs(cost);

export function measureAccept(rounds: Rounds<"gateway" | "waiting" | "bare" | "codecs" | "batched", Round>): Measured {
  return {
    acceptCpu: ratio(rounds.gateway, rounds.batched, toGatewayUs),
    acceptServerCpu: ratio(rounds.gateway, rounds.codecs, toAllUs),
    acceptPerCoreSecond: ratio(rounds.gateway, rounds.bare, toPerCoreSecond),
    acceptWaiting: ratio(rounds.waiting, rounds.gateway, toPerSecond),
    acceptThroughput: ratio(rounds.gateway, rounds.bare, toPerSecond),
  };
}

export function measureRelay(rounds: Rounds<"forward" | "forwardLoop" | "push" | "pushLoop", Round & { walBytes: number }>): Measured {
  return {
    forwardCpu: ratio(rounds.forward, rounds.forwardLoop, toAllUs),
    pushCpu: ratio(rounds.push, rounds.pushLoop, toAllUs),
    forwardWal: rounds.forward && toSpread(rounds.forward.map(({ walBytes }) => walBytes)),
    forwardThroughput: ratio(rounds.forward, rounds.forwardLoop, toPerSecond),
  };
}

interface QueueRound {
  enqueuedPerSecond: number;
  workedPerSecond: number;
}

/** The faster peer is the faster one of each round. With one peer left out it is not known which that is, so nothing is measured. */
export function measureQueue(rounds: Rounds<"wxdesk" | "pg-boss" | "graphile-worker", QueueRound>): Measured {
  const { wxdesk, "pg-boss": boss, "graphile-worker": graphile } = rounds;
  const fasterPeer = graphile?.map(({ workedPerSecond }, round) => Math.max(workedPerSecond, boss?.[round]?.workedPerSecond ?? Number.NaN));
  return {
    enqueue: ratio(wxdesk, graphile, ({ enqueuedPerSecond }) => enqueuedPerSecond),
    work:
      wxdesk &&
      fasterPeer &&
      toRatio(
        wxdesk.map(({ workedPerSecond }) => workedPerSecond),
        fasterPeer,
      ),
  };
}

/** Cost of a message with many others waiting for a dead desk, beside the cost without. */
export function measureGrowth(rounds: Rounds<"waiting" | "without", Cost>): Measured {
  return { deskAway: ratio(rounds.waiting, rounds.without, toAllUs) };
}

/** Round by round. Undefined when one of the two did not run. */
function ratio<Each>(
  ours: readonly Each[] | undefined,
  theirs: readonly Each[] | undefined,
  of: (round: Each) => number,
): Spread | undefined {
  return ours && theirs && toRatio(ours.map(of), theirs.map(of));
}
