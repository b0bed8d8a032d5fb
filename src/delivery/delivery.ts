import { setMaxListeners } from "node:events";
import type { Log } from "../base/log.ts";
import type { Deliver, Reserve } from "../domain/delivery.ts";
import { newHolder } from "../domain/ids.ts";
import type { Direction } from "../domain/message.ts";
import type { Claim, DueQueue, QueueKey, Share } from "../domain/queue.ts";
import type { Signals } from "../domain/signals.ts";
import type { WorkerQueues } from "../domain/store.ts";
import { createBacklog } from "./backlog.ts";
import { createHeartbeat } from "./heartbeat.ts";
import { createLostClaims } from "./lost-claims.ts";
import { createOpenWork } from "./open-work.ts";
import { createPollTimer } from "./poll-timer.ts";
import { createReserve } from "./reserve.ts";
import { MESSAGES_PER_READ, runQueue, type Step } from "./run-queue.ts";
import { createSlots, type PollRoom } from "./slots.ts";
import { createWorkedOn } from "./worked-on.ts";

export interface DeliveryOptions {
  queues: WorkerQueues;
  signals: Signals;
  log: Log;
  /** One try of a message, for each direction. */
  steps: Record<Direction, Step>;
  /** How long a claim lasts; longer than the longest try of a step. */
  leaseMs: number;
  /** The accounts whose desks do not answer at present. */
  awayDesks?: () => readonly string[];
  /** Whether something more urgent is to be done: then only a few queues of each account are worked at once. */
  isPressed?: () => boolean;
  /** How often to poll for queues that came due, or that another process enqueued. */
  pollMs?: number;
}

export interface Delivery {
  deliver: Deliver;
  reserve: Reserve;
  /** As `deliver`, for a queue that another process has announced: what cannot be claimed here is not announced again. */
  hear: Deliver;
  start(): void;
  isRunning(): boolean;
  /** Takes nothing new, lets what is under way finish for `graceMs`, then cuts it off and gives back every claim. */
  stop(graceMs: number): Promise<void>;
}

const POLL_MS = 1_000;
/** Two concurrent claims can both miss a queue: one because it is locked, the other because it has just changed. */
const MISSED_POLL_MS = 50;
const DIRECTIONS = ["inbound", "outbound"] as const;

/**
 * The worker. It comes to a queue in three ways:
 *
 *   from memory   `reserve` before a message is stored; the statement that stores it claims the queue as well (a claim in memory)
 *   by name       `deliver` or `hear`: claims that one queue if it is due
 *   by polling    all queues that are due: retries, queues of other processes, leases that have ended
 *
 * A claim in memory has no lease: it lasts as long as the heartbeat (heartbeat.ts). A queue that this process cannot work on, because it
 * never learnt of its claim or could not settle, is lost: it is released by name until that succeeds (lost-claims.ts).
 *
 * Each direction of each account has slots of its own (slots.ts): a queue that waits for a slow desk keeps a slot of that desk only.
 */
export function createDelivery({
  queues,
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
  const backlog = createBacklog();
  const cutOff = new AbortController();
  // One for each queue that is worked, however many those are.
  setMaxListeners(0, cutOff.signal);
  const work = createOpenWork();
  const workedOn = createWorkedOn();
  let state: "idle" | "running" | "stopping" = "idle";
  let nextAwayPollMs = 0;

  const pollTimer = createPollTimer(() => poll(), { pollMs, log });
  const wakeIn = (ms: number) => {
    if (state === "running") pollTimer.wakeIn(ms);
  };
  const lost = createLostClaims({
    release: (queue) => queues.releaseLost(holder, [queue]),
    isKnown: (queue) => workedOn.has(queue) || backlog.holds(queue),
  });
  const claimOptions = { holder, messagesMax: MESSAGES_PER_READ, leaseMs };
  const heartbeat = createHeartbeat({ queues, holder, leaseMs, log, onFreed: () => wakeIn(0) });

  /** A stop waits until it ends; nothing that goes wrong in it may end the process. */
  const track = (run: () => Promise<void>) => {
    const end = work.begin();
    void run()
      .catch((error: unknown) => log.error({ error }, "delivery.failed"))
      .finally(end);
  };

  /** A stop waits until the slot is given back. Claims that wait in memory fill it again, else a poll where queues may wait for it. */
  const takeSlot = (share: Share) => {
    const giveBack = slots.take(share);
    const end = work.begin();
    return () => {
      end();
      const isAwaited = giveBack();
      while (slots.hasRoom(share) && backlog.begin(share));
      if (isAwaited && slots.hasRoom(share)) wakeIn(0);
    };
  };

  const run = async (claim: Claim) => {
    // Claimed while the stop began: given back with the rest. A statement that was repeated may bring a claim that is worked on already.
    if (state !== "running" || !workedOn.add(claim)) return;
    const { conversationId, direction } = claim;
    const { accountId } = claim.conversation;
    try {
      const deps = { queues, signals, log, leaseMs, signal: cutOff.signal };
      const { isDue, noticeEnqueued, retryAfterMs } = await runQueue(claim, steps[direction], deps);
      if (noticeEnqueued) deliver({ conversationId, accountId, direction: "outbound" });
      if (isDue) deliver({ conversationId, accountId, direction });
      if (retryAfterMs !== null && retryAfterMs < pollMs) wakeIn(retryAfterMs);
    } catch (error) {
      lose(claim);
      throw error;
    } finally {
      workedOn.remove(claim);
    }
  };

  const lose = (queue: QueueKey) => {
    lost.add(queue);
    wakeIn(MISSED_POLL_MS);
  };

  /** Works on a claim in memory with a slot. Its process may have stood still since the commit. */
  const workInSlot = (claim: Claim, giveBack: () => void) =>
    track(async () => {
      try {
        if (heartbeat.isFresh()) await run(claim);
        else lose(claim);
      } finally {
        giveBack();
      }
    });

  const reserve = createReserve({
    ...{ holder, slots, backlog, takeSlot, keepOpen: work.begin, workInSlot, lose },
    isReady: () => state === "running" && heartbeat.isFresh(),
  });

  const tryQueue = (queue: DueQueue, otherwise: () => Promise<void>) => {
    // Without a worker here, or with a queue that waits for a callback, it may be for another process.
    if (state === "idle") track(otherwise);
    if (state !== "running" || !slots.hasRoom(queue)) return;
    const giveBack = takeSlot(queue);
    track(async () => {
      try {
        const claim = await queues.claimQueue(queue, claimOptions);
        if (claim !== null) return await run(claim);
        if (!workedOn.has(queue)) wakeIn(MISSED_POLL_MS);
        await otherwise();
      } finally {
        giveBack();
      }
    });
  };

  const deliver: Deliver = (queue) => {
    const isForCallbackHere = () => queue.direction === "outbound" && signals.isAwaited(queue.conversationId);
    tryQueue(queue, async () => (isForCallbackHere() ? undefined : queues.announce(queue)));
  };

  /**
   * Queues that are tried at once while the query is under way, and those that it brings, may be more than there are slots.
   * @returns the shares of the claimed queues, each as often as it has one
   */
  const claimDue = async (direction: Direction, room: PollRoom): Promise<Share[]> => {
    const claims = await queues.claimDue({ ...claimOptions, ...room, direction });
    return claims.map((claim) => {
      const share = { accountId: claim.conversation.accountId, direction };
      const giveBack = takeSlot(share);
      track(() => run(claim).finally(giveBack));
      return share;
    });
  };

  /** Queues to a desk that is away have a poll of their own, no more often than `pollMs`: most are only postponed again. */
  const poll = async () => {
    await lost.release().catch((error: unknown) => log.warn({ error }, "delivery.not-released"));
    const away = awayDesks();
    for (const direction of DIRECTIONS) {
      const room = slots.toPoll(direction, away);
      const shares = await claimDue(direction, room);
      if (slots.mayBeLeft(direction, room, shares)) wakeIn(0);
      // Work on one queue of a conversation locks its row, and a claim of the other one skips it.
      if (shares.length > 0) wakeIn(MISSED_POLL_MS);
    }
    if (away.length === 0 || performance.now() < nextAwayPollMs) return;
    // Half: a timer may be a little early.
    nextAwayPollMs = performance.now() + pollMs / 2;
    await claimDue("inbound", slots.toPollAway(away));
  };

  return {
    deliver,
    reserve,
    hear: (queue) => tryQueue(queue, async () => {}),
    start: () => {
      state = "running";
      heartbeat.start();
      wakeIn(0);
    },
    isRunning: () => state === "running",
    stop: async (graceMs) => {
      if (state !== "running") return;
      state = "stopping";
      const grace = setTimeout(() => cutOff.abort(), graceMs);
      await pollTimer.stop();
      await work.ended();
      clearTimeout(grace);
      await heartbeat.stop();
      // With the database away the claims end by themselves, with their leases and without a heartbeat. Lost ones first: `retire` ends the
      // heartbeat, which the others would miss. Where some may still turn up it stays, and the other processes free them.
      await lost
        .release()
        .then(() => (lost.areExpected() ? queues.freeClaims([holder], leaseMs) : queues.retire(holder, leaseMs)))
        .catch((error: unknown) => log.warn({ error }, "delivery.not-released"));
    },
  };
}
