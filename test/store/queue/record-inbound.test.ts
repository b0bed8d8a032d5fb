import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import { newMessageId } from "../../../src/domain/ids.ts";
import type { RecordInbound } from "../../../src/domain/store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { createInboundStore } from "../../../src/store/queue/record-inbound.ts";
import { CONTACT, head, useFlowStage } from "../../flow/stage.ts";

const stage = useFlowStage();

const hello = (): RecordInbound => ({
  ...CONTACT,
  messageId: newMessageId(new Date()),
  message: {
    openId: CONTACT.openId,
    dedupeKey: "key-1",
    vendorMessageId: null,
    sentAt: new Date(),
    content: { type: "text", text: "hello" },
  },
  forward: true,
  openForMs: 60_000,
  openForQueryMs: 0,
  allowance: null,
});

/** The same database, over a connection that breaks once, after the first statement has done its work. */
function breaking(database: Database): Database {
  let isBroken = false;
  return {
    ...database,
    query: async (...given) => {
      const rows = await database.query<never>(...given);
      if (isBroken) return rows;
      isBroken = true;
      throw new Error("the connection broke after the commit");
    },
  };
}

test("a message whose storing was not answered is stored once, counts as new, and its callback reserves once", async () => {
  const recorded = await createInboundStore(breaking(stage.opened.database)).record(hello());
  if (!recorded?.openUntil) throw new Error("the callback made no reservation");
  expect(recorded.isNew).toBe(true);
  await stage.say("hi there");
  await expect(stage.claim()).rejects.toThrow("not due");
  await stage.opened.store.queues.closeCallback({ ...CONTACT, openUntil: recorded.openUntil });
  expect(head(await stage.claim()).message.text).toBe("hi there");
  expect(await stage.opened.store.conversations.get(CONTACT.conversationId, ALL_ACCOUNTS)).toMatchObject({ pending: { toDesk: 1 } });
});

test("a message that comes many times at once leaves no reservation behind but those of its callbacks", async () => {
  const { inbound, queues } = stage.opened.store;
  const first = await inbound.record(hello());
  const all = [first, ...(await Promise.all([1, 2, 3, 4].map(() => inbound.record(hello()))))];
  expect(all.filter((recorded) => recorded?.isNew)).toHaveLength(1);
  await stage.say("hi there");
  for (const recorded of all) {
    if (recorded?.openUntil) await queues.closeCallback({ ...CONTACT, openUntil: recorded.openUntil });
  }
  expect(head(await stage.claim()).message.text).toBe("hi there");
});

test("storing a message tells whether replies stand there for its callback, and whether the desk is left alone for now", async () => {
  const { inbound, queues } = stage.opened.store;
  const write = (dedupeKey: string) =>
    inbound.record({ ...hello(), messageId: newMessageId(new Date()), message: { ...hello().message, dedupeKey } });
  expect(await write("key-1")).toMatchObject({ isNew: true, hasReplies: false, isDeskAway: false });
  await stage.say("hi there");
  const claim = await stage.claim("inbound");
  expect(await write("key-2")).toMatchObject({ isNew: true, hasReplies: true, isDeskAway: false });
  await queues.release(claim, 60_000);
  expect(await write("key-3")).toMatchObject({ isNew: true, hasReplies: true, isDeskAway: true });
});
