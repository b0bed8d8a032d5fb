import { setMaxListeners } from "node:events";
import type { Deliver } from "../domain/delivery.ts";
import { newHolder } from "../domain/ids.ts";
import type { Log } from "../domain/log.ts";
import type { Direction } from "../domain/message.ts";
import type { Claim, LaneKey } from "../domain/outbox.ts";
import type { Signals } from "../domain/signals.ts";
import type { OutboxStore } from "../domain/store.ts";
import { runLane, type Step } from "./run-lane.ts";

export interface DeliveryOptions {
  outbox: OutboxStore;
  signals: Signals;
  log: Log;
  /** What is done with an entry of each direction. */
  steps: Record<Direction, Step>;
  /** How long a claim lasts; longer than the longest try of a step. */
  leaseMs: number;
  /** The accounts whose desks do not answer at present. */
  awayDesks?: () => readonly string[];
  /** Whether something more urgent is to be done: then only a few lanes are worked at once. */
  isPressed?: () => boolean;
  /** How often to look for lanes that came due, or that another process enqueued. */
  pollMs?: number;
}

export interface Delivery {
  deliver: Deliver;
  /** The same for a lane that another process has announced: what cannot be claimed here is not announced again. */
  hear: Deliver;
  start(): void;
  isRunning(): boolean;
  /** Takes nothing new, lets what is under way finish for `graceMs`, then cuts it off and gives back every claim. */
  stop(graceMs: number): Promise<void>;
}

const POLL_MS = 1_000;
/** Each is one conversation waiting for one HTTP answer; more only help when desks are slow. */
const LANES_MAX = 64;
/** Forwarding does not end while more comes than can be done, and each lane that is worked looks for the next. */
const LANES_MAX_PRESSED = 8;
const ENTRIES_PER_CLAIM = 10;
/** Two claims that meet at a lane may both leave it: the one because it is locked, the other because it has just changed. */
const MISSED_LOOK_MS = 50;

/**
 * The worker. What is enqueued here is tried at once: `deliver` claims that one lane. Everything else, such as retries, lanes of
 * other processes and lanes whose holder died, is found by looking for due lanes every `pollMs`.
 */
export function createDelivery({
  outbox,
  signals,
  log,
  steps,
  leaseMs,
  awayDesks = () => [],
  isPressed = () => false,
  pollMs = POLL_MS,
}: DeliveryOptions): Delivery {
  const holder = newHolder("worker");
  const cutOff = new AbortController();
  // One for each lane that is worked, however many those are.
  setMaxListeners(0, cutOff.signal);
  const underWay = new Set<Promise<void>>();
  /** Who works on a lane sees what is added to it. */
  const lanesHere = new Set<string>();
  let state: "idle" | "running" | "stopping" = "idle";
  let timer: NodeJS.Timeout | undefined;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let polling = Promise.resolve();
  /** Lanes were left for want of room: the next place that is free goes to one of them, without waiting for the next look. */
  let isFull = false;

  const room = () => (isPressed() ? LANES_MAX_PRESSED : LANES_MAX) - underWay.size;
  const hasRoom = () => state === "running" && room() > 0;
  const claimOptions = { holder, entriesMax: ENTRIES_PER_CLAIM, leaseMs };

  /** Keeps a piece of work in view until it ends; nothing that goes wrong in it may end the process. */
  const track = (work: () => Promise<void>) => {
    const running: Promise<void> = work()
      .catch((error: unknown) => log.error({ error }, "delivery.failed"))
      .finally(() => {
        underWay.delete(running);
        if (isFull) wakeIn(0);
      });
    underWay.add(running);
  };

  const run = async (claim: Claim) => {
    // Claimed while the stop began: given back with the rest.
    if (state !== "running") return;
    lanesHere.add(toKey(claim));
    const { moreDue, noticeEnqueued, retryAfterMs } = await runLane(claim, steps[claim.direction], {
      outbox,
      signals,
      log,
      leaseMs,
      signal: cutOff.signal,
    }).finally(() => lanesHere.delete(toKey(claim)));
    if (noticeEnqueued) deliver({ conversationId: claim.conversationId, direction: "outbound" });
    if (moreDue) deliver(claim);
    if (retryAfterMs !== null && retryAfterMs < pollMs) wakeIn(retryAfterMs);
  };

  const tryLane = (lane: LaneKey, otherwise: () => Promise<void>) => {
    // Without a worker here, or with a lane that waits for a callback, it may be for another process.
    if (state === "idle") track(otherwise);
    isFull ||= state === "running" && !hasRoom();
    if (!hasRoom()) return;
    track(async () => {
      const claim = await outbox.claimLane(lane, claimOptions);
      if (claim !== null) return run(claim);
      if (!lanesHere.has(toKey(lane))) wakeIn(MISSED_LOOK_MS);
      await otherwise();
    });
  };

  const announce = async (lane: LaneKey) => {
    const isForCallbackHere = lane.direction === "outbound" && signals.isAwaited(lane.conversationId);
    if (!isForCallbackHere) await outbox.announce(lane);
  };

  const deliver: Deliver = (lane) => tryLane(lane, () => announce(lane));

  /** @returns whether lanes may be left for want of room */
  const claimDue = async (exceptDesksOf: readonly string[]) => {
    // Lanes that are tried at once while a look is under way, and those that it brings, may be more than there are places.
    const lanesMax = Math.max(0, room());
    const claims = lanesMax > 0 ? await outbox.claimDue({ ...claimOptions, lanesMax, exceptDesksOf }) : [];
    for (const claim of claims) track(() => run(claim));
    return claims.length === lanesMax;
  };

  /** What waits for a desk that is away only gets the places that nobody else needs, and no look of its own: it would be put off again. */
  const poll = async () => {
    // Before the look: what finds no room while it is under way shall have another.
    isFull = false;
    const away = awayDesks();
    const isLeft = await claimDue(away);
    if (isLeft) isFull = true;
    else if (away.length > 0) await claimDue([]);
  };

  /** Plans the next look. Never later than planned already: failures that keep coming would put it off for ever. */
  const wakeIn = (ms: number) => {
    const atMs = performance.now() + ms;
    if (state !== "running" || atMs >= wakeAtMs) return;
    wakeAtMs = atMs;
    clearTimeout(timer);
    timer = setTimeout(() => {
      wakeAtMs = Number.POSITIVE_INFINITY;
      polling = polling
        .then(poll)
        .catch((error: unknown) => log.warn({ error }, "delivery.poll-failed"))
        .finally(() => wakeIn(pollMs));
    }, ms);
  };

  return {
    deliver,
    hear: (lane) => tryLane(lane, async () => {}),
    start: () => {
      state = "running";
      wakeIn(0);
    },
    isRunning: () => state === "running",
    stop: async (graceMs) => {
      if (state !== "running") return;
      state = "stopping";
      clearTimeout(timer);
      const grace = setTimeout(() => cutOff.abort(), graceMs);
      await polling;
      await Promise.all(underWay);
      clearTimeout(grace);
      // With the database away the claims end by themselves, with their leases.
      await outbox.releaseAll(holder).catch((error: unknown) => log.warn({ error }, "delivery.not-released"));
    },
  };
}

function toKey({ conversationId, direction }: LaneKey): string {
  return `${direction} ${conversationId}`;
}
