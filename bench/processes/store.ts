import type { Claim } from "../../src/domain/queue.ts";
import type { Store } from "../../src/domain/store.ts";
import { ACCOUNT, toOpenId } from "../lib/account.ts";
import { fromDist } from "../lib/from-dist.ts";
import { createTally, type Enqueued, inBatches, type QueueLoad, type Tally, type Worked } from "../lib/queue.ts";
import { findNumber, toText } from "../lib/requests.ts";
import { serve } from "../lib/serve.ts";

const { openDatabase } = await fromDist<typeof import("../../src/store/database/database.ts")>("store/database/database.js");
const { createStore } = await fromDist<typeof import("../../src/store/store.ts")>("store/store.js");
const { newMessageId, toConversationId } = await fromDist<typeof import("../../src/domain/ids.ts")>("domain/ids.js");

let opened: { url: string; store: Store } | null = null;

/** The gateway's own store, driven directly. It keeps whole messages, where its peers keep a job. */
serve({ enqueue, work });

async function enqueue(load: QueueLoad): Promise<Enqueued> {
  const { inbound } = await open(load.url);
  return inBatches(load, (numbers) =>
    Promise.all(
      numbers.map((number) => {
        const openId = toOpenId(number % load.keys);
        return inbound.record({
          messageId: newMessageId(new Date()),
          conversationId: toConversationId(ACCOUNT.id, openId),
          accountId: ACCOUNT.id,
          message: {
            openId,
            dedupeKey: `queue ${number}`,
            vendorMessageId: String(number),
            sentAt: new Date(),
            content: { type: "text", text: toText(number) },
          },
          forward: true,
          openForMs: 0,
          openForQueryMs: 0,
          allowance: null,
        });
      }),
    ),
  );
}

const LOOPS = 4;
const QUEUES = 25;
const MESSAGES = 10;
const LEASE_MS = 60_000;

/** As the worker does it: queues are claimed by several, each settled message by message, and nothing is done in between. */
async function work({ url, count }: QueueLoad): Promise<Worked> {
  const { queues } = await open(url);
  const tally = createTally(count);
  await Promise.all(
    Array.from({ length: LOOPS }, async (_, loop) => {
      while (!tally.isOver()) {
        const claims = await queues.claimDue({
          direction: "inbound",
          holder: `bench-${loop}`,
          queuesMax: QUEUES,
          messagesMax: MESSAGES,
          leaseMs: LEASE_MS,
          roomOfEach: QUEUES,
          rooms: [],
        });
        await Promise.all(claims.map((claim) => settleAll(claim, queues, tally)));
      }
    }),
  );
  return tally.toWorked();
}

/** The claim goes on while it has messages, as the worker's does; what stands behind them is left to the next claim. */
async function settleAll(claim: Claim, queues: Store["queues"], tally: Tally): Promise<void> {
  for (const queued of claim.messages) {
    const settled = await queues.settle(
      claim,
      [queued],
      {
        outcome: { kind: "done" },
        next: { kind: "finished", state: "forwarded" },
        way: null,
        attempt: { startedAt: new Date(), durationMs: 0 },
      },
      { keepForMs: queued === claim.messages.at(-1) ? null : LEASE_MS },
    );
    if (settled === null) return;
    tally.note(claim.conversationId, findNumber(queued.message.text));
  }
}

/** Nothing secret is read or written here, so the box stays shut. */
const SHUT_BOX = { keyId: "none", canOpen: () => true, seal: refuse, open: refuse };

function refuse(): never {
  throw new Error("no secrets in this benchmark");
}

async function open(url: string): Promise<Store> {
  if (opened?.url !== url) opened = { url, store: createStore(await openDatabase({ kind: "server", url }), SHUT_BOX) };
  return opened.store;
}
