import { setTimeout as sleep } from "node:timers/promises";
import type { Span } from "./books.ts";
import type { Fault, Plan, Spoil } from "./plan.ts";
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
  /** What was done so far, for the table. */
  readonly done: ReadonlyMap<string, number>;
}

const PATHS = { official_account: "/cgi-bin/message/custom/send", wecom: "/cgi-bin/message/send" } as const;
const DESK_PATH = /im_callback/;

/** Does to the world what the plan says. Replicas go down one after the other, so that one can always take a callback. */
export function createFaults({ faults }: Plan, { postgres, wechat, sides, replicas }: World, traffic: Traffic): Faults {
  const waiting = [...faults];
  const databaseAway: Span[] = [];
  const done = new Map<string, number>();
  const removers: (() => void)[] = [];
  let replicasTurn = Promise.resolve();
  let postgresTurn = Promise.resolve();

  const takeDown = async (replica: Replica, down: () => Promise<void>, downMs: number) => {
    await down();
    await sleep(downMs);
    await replica.start();
  };

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

  const begin = (fault: Fault) => {
    const name = toName(fault);
    done.set(name, (done.get(name) ?? 0) + (fault.kind === "spoil" ? fault.times : 1));
    switch (fault.kind) {
      case "kill":
      case "roll": {
        const replica = replicas[fault.replica];
        if (replica === undefined) throw new Error(`there is no replica ${fault.replica}`);
        const down = fault.kind === "kill" ? replica.kill : replica.stop;
        replicasTurn = replicasTurn.then(() => takeDown(replica, down, fault.downMs));
        return;
      }
      case "postgres":
        postgresTurn = postgresTurn.then(() => restartPostgres(fault.mode, fault.downMs));
        return;
      case "expire-tokens":
        return wechat.expireTokens();
      case "spoil":
        return spoil(fault);
    }
  };

  return {
    databaseAway,
    done,
    reach: (sent) => {
      while (waiting[0] !== undefined && waiting[0].at <= sent) begin(waiting.shift() as Fault);
    },
    end: async () => {
      await replicasTurn;
      await postgresTurn;
      for (const remove of removers) remove();
    },
  };
}

export function toName(fault: Fault): string {
  if (fault.kind === "postgres") return `postgres ${fault.mode}`;
  if (fault.kind !== "spoil") return fault.kind;
  const { target, how } = fault;
  const detail = how.kind === "status" ? ` ${how.status}` : how.kind === "errcode" ? ` ${how.errcode}` : "";
  return `${target} ${how.kind}${detail}`;
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
  // What a sender has begun and cannot settle, because it or its database is gone: as much as was under way.
  if (fault.kind === "kill" || fault.kind === "postgres") return ["SENDER_LOST", Number.POSITIVE_INFINITY];
  if (fault.kind !== "spoil" || fault.target !== "send") return null;
  const { how, times } = fault;
  if (how.kind === "status") return [`WECHAT_HTTP_${how.status}`, how.status === 502 || how.status === 504 ? times : 0];
  if (how.kind === "errcode") return [String(how.errcode), times];
  const losesAnswer = how.kind === "drop-before" || how.kind === "drop-after" || (how.kind === "late" && how.ms > SEND_TIMEOUT_MS);
  return losesAnswer ? ["WECHAT_ANSWER_LOST", times] : null;
}
