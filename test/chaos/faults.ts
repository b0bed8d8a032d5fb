import { setTimeout as sleep } from "node:timers/promises";
import type { Span } from "./books.ts";
import type { Plan } from "./plan.ts";
import type { Fault, Restart, Spoil } from "./plan-faults.ts";
import type { Replica } from "./replica.ts";
import type { Traffic } from "./traffic.ts";
import type { World } from "./world.ts";

export interface Faults {
  /** Starts what is due once so many messages have been sent. */
  reach(sent: number): void;
  /** Waits for the faults under way and takes the spoilt requests away that nobody made: from here on everything works. */
  end(): Promise<void>;
  /** When the database was away. */
  readonly databaseAway: Span[];
  /** When which replica stood still. */
  readonly standstills: readonly (Span & { replica: string })[];
  /** The faults that have begun so far. */
  readonly done: readonly Fault[];
}

const PATHS = { official_account: "/cgi-bin/message/custom/send", wecom: "/cgi-bin/message/send" } as const;
const DESK_PATH = /im_callback/;

/** Within the desk's own limit. */
const LATE_MS = 1_000;
const OPEN_AT_WORK = 3;
const AT_WORK_MS_MAX = 10_000;

/**
 * Does to the world what the plan says. Replicas go down one after the other and stand still one after the other, so that one of three
 * can always take a callback; of two, one is down or stands still. A fault for a replica that is taken already meets the next one.
 */
export function createFaults({ faults }: Plan, { postgres, wechat, sides, replicas, proxy }: World, traffic: Traffic): Faults {
  const waiting = [...faults];
  const databaseAway: Span[] = [];
  const standstills: (Span & { replica: string })[] = [];
  const done: Fault[] = [];
  const removers: (() => void)[] = [];
  const taken = new Set<Replica>();
  const downTurn = createTurn();
  const freezeTurn = replicas.length > 2 ? createTurn() : downTurn;
  const postgresTurn = createTurn();

  const takeReplica = async (wanted: number, work: (replica: Replica) => Promise<void>) => {
    const inOrder = replicas.map((_, index) => replicas[(wanted + index) % replicas.length]);
    const replica = inOrder.find((candidate) => candidate !== undefined && !taken.has(candidate));
    if (replica === undefined) throw new Error("all replicas are down or stand still");
    taken.add(replica);
    await work(replica);
    taken.delete(replica);
  };

  const restart = (kind: "kill" | "roll", { replica: wanted, downMs, clockMs }: Restart) =>
    takeReplica(wanted, async (replica) => {
      await (kind === "kill" ? replica.kill() : replica.stop());
      await sleep(downMs);
      await replica.start(clockMs);
    });

  /** Slow outsides keep claims open; one that waits for its desk or for WeChat when it stops holds them in vain. */
  const untilAtWork = async ({ address }: Replica) => {
    const late = { kind: "late", ms: LATE_MS } as const;
    const quicken = [
      ...Object.values(sides).map(({ desk }) => desk.misbehave({ ...late, path: DESK_PATH })),
      ...Object.values(PATHS).map((path) => wechat.misbehave({ ...late, path })),
    ];
    for (const until = Date.now() + AT_WORK_MS_MAX; proxy.openAt(address) < OPEN_AT_WORK && Date.now() < until; ) await sleep(LATE_MS / 10);
    await sleep(LATE_MS / 2);
    for (const remove of quicken) remove();
  };

  const freeze = (wanted: number, standsMs: number) =>
    takeReplica(wanted, async (replica) => {
      await untilAtWork(replica);
      const from = Date.now();
      replica.freeze();
      await sleep(standsMs);
      replica.thaw();
      standstills.push({ replica: replica.name, from, to: Date.now() });
    });

  const restartPostgres = async (mode: "immediate" | "fast", downMs: number) => {
    const away: Span = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    databaseAway.push(away);
    await postgres.stop(mode);
    await sleep(downMs);
    await postgres.start();
    away.to = Date.now();
  };

  const spoil = ({ target, account, times, how }: Spoil) => {
    if (how.kind === "wrong-json") traffic.spoilAnswers(account, times);
    else if (target === "desk") removers.push(sides[account].desk.misbehave({ ...how, path: DESK_PATH, times }));
    else removers.push(wechat.misbehave({ ...how, path: PATHS[account], times }));
  };

  const doNow = async (fault: Fault) => {
    done.push(fault);
    switch (fault.kind) {
      case "kill":
      case "roll":
        return restart(fault.kind, fault);
      case "freeze":
        return freeze(fault.replica, fault.standsMs);
      case "postgres":
        return restartPostgres(fault.mode, fault.downMs);
      case "expire-tokens":
        return wechat.expireTokens();
      case "spoil":
        return spoil(fault);
    }
  };

  const begin = (fault: Fault) => {
    const turns: Partial<Record<Fault["kind"], Turn>> = { kill: downTurn, roll: downTurn, freeze: freezeTurn, postgres: postgresTurn };
    const turn = turns[fault.kind];
    if (turn === undefined) void doNow(fault);
    else turn.add(() => doNow(fault));
  };

  return {
    databaseAway,
    standstills,
    done,
    reach: (sent) => {
      while (waiting[0] !== undefined && waiting[0].at <= sent) begin(waiting.shift() as Fault);
    },
    end: async () => {
      await Promise.all([downTurn.end(), freezeTurn.end(), postgresTurn.end()]);
      for (const remove of removers) remove();
    },
  };
}

interface Turn {
  add(work: () => Promise<void>): void;
  end(): Promise<void>;
}

/** One piece of work after the other. */
function createTurn(): Turn {
  let last = Promise.resolve();
  return {
    add: (work) => {
      last = last.then(work);
    },
    end: () => last,
  };
}

/** The codes under which a reply may end uncertain or unsent, and how often this plan gives a reason for it. */
export function toExplained({ faults }: Plan): ReadonlyMap<string, number> {
  const explained = new Map<string, number>();
  for (const fault of faults) {
    const [code, times] = toReason(fault) ?? [];
    if (code !== undefined && times !== undefined) explained.set(code, (explained.get(code) ?? 0) + times);
  }
  return explained;
}

/** The gateway's limit of one send; an answer that is later is none. */
const SEND_TIMEOUT_MS = 10_000;

function toReason(fault: Fault): [code: string, times: number] | null {
  // What a sender has begun and cannot settle, because it or its database is gone, or it stands still: as much as was under way.
  if (fault.kind === "kill" || fault.kind === "postgres" || fault.kind === "freeze") return ["SENDER_LOST", Number.POSITIVE_INFINITY];
  if (fault.kind !== "spoil" || fault.target !== "send") return null;
  const { how, times } = fault;
  if (how.kind === "status") return [`WECHAT_HTTP_${how.status}`, how.status === 502 || how.status === 504 ? times : 0];
  if (how.kind === "errcode") return [String(how.errcode), times];
  const losesAnswer = how.kind === "drop-before" || how.kind === "drop-after" || (how.kind === "late" && how.ms > SEND_TIMEOUT_MS);
  return losesAnswer ? ["WECHAT_ANSWER_LOST", times] : null;
}
