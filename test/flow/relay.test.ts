import { expect, test } from "vitest";
import type { Connection, Connections } from "../../src/domain/connection.ts";
import type { Content } from "../../src/domain/content.ts";
import type { Outcome } from "../../src/domain/outcome.ts";
import { relay } from "../../src/flow/relay.ts";
import { head, textChannel, useFlowStage } from "./stage.ts";

const stage = useFlowStage();
const LEASE_MS = 30_000;

/** The account's connection with a channel that keeps what it is given. */
function connected(outcome: Outcome, sent: Content[] = [], async = true): Connections {
  const channel = textChannel({
    send: async (_openId, content) => {
      sent.push(content);
      return outcome;
    },
  });
  return {
    forget: () => {},
    get: async () => ({ account: { id: "shop", warnings: [], replies: { async } }, channel }) as unknown as Connection,
  };
}

function deps(connections: Connections) {
  const { outbox, accounts } = stage.opened.store;
  return { connections, outbox, accounts, leaseMs: LEASE_MS, now: () => new Date(), pauseMs: () => 0 };
}

const { signal } = new AbortController();

test("an entry that was found begun is uncertain, even when its account cannot be read just then", async () => {
  await stage.say("one");
  const lost = await stage.claim();
  await stage.opened.store.outbox.begin(lost, [head(lost)], "async", 0);
  const claim = await stage.claim();
  const failing: Connections = { forget: () => {}, get: () => Promise.reject(new Error("the database is away")) };
  expect(await relay(claim, head(claim), deps(failing), signal)).toMatchObject({
    outcome: { kind: "uncertain", code: "SENDER_LOST" },
    next: { kind: "finished", state: "uncertain" },
    way: "async",
  });
});

test("nothing is sent for a lane that has passed to another holder", async () => {
  await stage.say("one");
  const claim = await stage.claim();
  await stage.opened.database.prisma.$executeRaw`UPDATE outbox_lanes SET due_at = now()`;
  const next = await stage.claim();
  const sent: Content[] = [];
  const connections = connected({ kind: "done" }, sent);
  expect(await relay(claim, head(claim), deps(connections), signal)).toBeNull();
  expect(sent).toEqual([]);
  await relay(next, head(next), deps(connections), signal);
  expect(sent).toEqual([{ type: "text", text: "one" }]);
});

test("a fault while sending is uncertain: the bytes may have left", async () => {
  await stage.say("one");
  const claim = await stage.claim();
  const channel = textChannel({ send: () => Promise.reject(new TypeError("a mistake of ours")) });
  const connections: Connections = {
    forget: () => {},
    get: async () => ({ account: { replies: { async: true } }, channel }) as unknown as Connection,
  };
  expect(await relay(claim, head(claim), deps(connections), signal)).toMatchObject({ outcome: { kind: "uncertain", code: "SEND_FAILED" } });
});

test("a refused reply is held for the contact's next message, and goes out if that came while it was refused", async () => {
  const { outbox } = stage.opened.store;
  const messageId = await stage.say("one");
  const refuse = async (writes: boolean) => {
    const claim = await stage.claim();
    const settlement = await relay(claim, head(claim), deps(connected({ kind: "hold", code: "45015", detail: "outside" })), signal);
    if (settlement === null) throw new Error("the lane has passed to another holder");
    if (writes) await stage.write("here I am", 0);
    await outbox.settle(claim, head(claim), settlement, { keepForMs: null });
  };
  await refuse(true);
  await refuse(false);
  expect((await stage.stateOf(messageId)).state).toBe("held");
  await expect(stage.claim()).rejects.toThrow("not due");
  await stage.write("and again", 0);
  expect(head(await stage.claim()).message.id).toBe(messageId);
});

test("with asynchronous messages off nothing is sent, and the reply rides on the next callback", async () => {
  const messageId = await stage.say("one");
  const claim = await stage.claim();
  const sent: Content[] = [];
  const settlement = await relay(claim, head(claim), deps(connected({ kind: "done" }, sent, false)), signal);
  expect(settlement).toMatchObject({ outcome: { kind: "hold", code: "ASYNC_OFF" }, next: { kind: "held" } });
  expect(sent).toEqual([]);
  if (settlement) await stage.opened.store.outbox.settle(claim, head(claim), settlement, { keepForMs: null });
  const received = await stage.write("hello");
  const prospect = await stage.opened.store.outbox.claimForCallback({
    ...received,
    holder: "callback-1",
    entriesMax: 1,
    leaseMs: LEASE_MS,
  });
  expect(prospect.claim?.entries[0]?.message.id).toBe(messageId);
});
