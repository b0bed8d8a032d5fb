import { setMaxListeners } from "node:events";
import type { Log } from "../base/log.ts";
import type { Deliver } from "../domain/delivery.ts";
import { newHolder } from "../domain/ids.ts";
import type { Direction } from "../domain/message.ts";
import type { Claim, DueLane, LaneKey, Share } from "../domain/outbox.ts";
import type { Signals } from "../domain/signals.ts";
import type { OutboxStore } from "../domain/store.ts";
import { runLane, type Step } from "./run-lane.ts";
import { createSlots, type PollRoom } from "./slots.ts";

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
  /** Whether something more urgent is to be done: then only a few lanes of each account are worked at once. */
  isPressed?: () => boolean;
  /** How often to poll for lanes that came due, or that another process enqueued. */
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
const ENTRIES_PER_CLAIM = 10;
/** Two concurrent claims can both miss a lane: one because it is locked, the other because it has just changed. */
const MISSED_POLL_MS = 50;

/**
 * The worker. What is enqueued here is tried at once: `deliver` claims that one lane. Everything else, such as retries, lanes of
 * other processes and lanes whose holder died, is found by polling for due lanes every `pollMs`.
 *
 * Each direction of each account has slots of its own (slots.ts): a lane that waits for a slow desk keeps a slot of that desk only.
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
  const slots = createSlots(isPressed);
  const cutOff = new AbortController();
  // One for each lane that is worked, however many those are.
  setMaxListeners(0, cutOff.signal);
  const underWay = new Set<Promise<void>>();
  /** Who works on a lane sees what is added to it. */
  const lanesHere = new Set<string>();
  let state: "idle" | "running" | "stopping" = "idle";
  let timer: NodeJS.Timeout | undefined;
  let wakeAtMs = Number.POSITIVE_INFINITY;
  let nextAwayPollMs = 0;
  let polling = Promise.resolve();

  const claimOptions = { holder, entriesMax: ENTRIES_PER_CLAIM, leaseMs };

  /** Keeps a piece of work in view until it ends; nothing that goes wrong in it may end the process. */
  const track = (work: () => Promise<void>) => {
    const running: Promise<void> = work()
      .catch((error: unknown) => log.error({ error }, "delivery.failed"))
      .finally(() => underWay.delete(running));
    underWay.add(running);
  };

  /** Likewise, in a slot of the share. A poll fills the slot again where lanes may wait for it. */
  const trackInSlot = (share: Share, work: () => Promise<void>) => {
    const giveBack = slots.take(share);
    track(() =>
      work().finally(() => {
        if (giveBack()) wakeIn(0);
      }),
    );
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
    const { conversationId, direction } = claim;
    const { accountId } = claim.conversation;
    if (noticeEnqueued) deliver({ conversationId, accountId, direction: "outbound" });
    if (moreDue) deliver({ conversationId, accountId, direction });
    if (retryAfterMs !== null && retryAfterMs < pollMs) wakeIn(retryAfterMs);
  };

  const tryLane = (lane: DueLane, otherwise: () => Promise<void>) => {
    // Without a worker here, or with a lane that waits for a callback, it may be for another process.
    if (state === "idle") track(otherwise);
    if (state !== "running" || !slots.hasRoom(lane)) return;
    trackInSlot(lane, async () => {
      const claim = await outbox.claimLane(lane, claimOptions);
      if (claim !== null) return run(claim);
      if (!lanesHere.has(toKey(lane))) wakeIn(MISSED_POLL_MS);
      await otherwise();
    });
  };

  const announce = async (lane: DueLane) => {
    const isForCallbackHere = lane.direction === "outbound" && signals.isAwaited(lane.conversationId);
    if (!isForCallbackHere) await outbox.announce(lane);
  };

  const deliver: Deliver = (lane) => tryLane(lane, () => announce(lane));

  /**
   * Lanes that are tried at once while the query is under way, and those that it brings, may be more than there are slots.
   * @returns the shares of the claimed lanes, each as often as it has one
   */
  const claimDue = async (room: PollRoom): Promise<Share[]> => {
    const claims = await outbox.claimDue({ ...claimOptions, ...room });
    return claims.map((claim) => {
      const share = { accountId: claim.conversation.accountId, direction: claim.direction };
      trackInSlot(share, () => run(claim));
      return share;
    });
  };

  /** Lanes to a desk that is away have a poll of their own, no more often than `pollMs`: most are only postponed again. */
  const poll = async () => {
    const away = awayDesks();
    const room = slots.toPoll(away);
    if (slots.mayBeLeft(room, await claimDue(room))) wakeIn(0);
    if (away.length === 0 || performance.now() < nextAwayPollMs) return;
    // Half: a timer may be a little early.
    nextAwayPollMs = performance.now() + pollMs / 2;
    await claimDue(slots.toPollAway(away));
  };

  /** Plans the next poll. Never later than planned already: failures that keep coming would put it off for ever. */
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
