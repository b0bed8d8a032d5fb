import type { Claim } from "../../src/domain/outbox.ts";
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

/** The gateway's own store, driven directly. It keeps whole messages and their attempts, where its peers keep a job. */
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
          lookForMs: 0,
          allowance: null,
        });
      }),
    ),
  );
}

const LOOPS = 4;
const LANES = 25;
const LEASE_MS = 60_000;

/** As the worker does it: lanes are claimed by several, each settled entry by entry, and nothing is done in between. */
async function work({ url, count }: QueueLoad): Promise<Worked> {
  const { outbox } = await open(url);
  const tally = createTally(count);
  await Promise.all(
    Array.from({ length: LOOPS }, async (_, loop) => {
      while (!tally.isOver()) {
        const claims = await outbox.claimDue({
          holder: `bench-${loop}`,
          lanesMax: LANES,
          entriesMax: 10,
          leaseMs: LEASE_MS,
          roomOfEach: LANES,
          rooms: [],
        });
        await Promise.all(claims.map((claim) => settleAll(claim, outbox, tally)));
      }
    }),
  );
  return tally.toWorked();
}

async function settleAll(claim: Claim, outbox: Store["outbox"], tally: Tally): Promise<void> {
  let held = claim;
  for (const entry of claim.entries) {
    const settled = await outbox.settle(
      held,
      entry,
      {
        outcome: { kind: "done" },
        next: { kind: "finished", state: "forwarded" },
        way: null,
        attempt: { startedAt: new Date(), durationMs: 0 },
      },
      { keepForMs: entry === claim.entries.at(-1) ? null : LEASE_MS },
    );
    if (settled === null) return;
    // Each settle raises the number of the claim that it keeps.
    held = { ...held, claimNumber: settled.claimNumber };
    tally.note(claim.conversationId, findNumber(entry.message.text));
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
