import { expect, test } from "vitest";
import { toConversationId } from "../../../src/domain/ids.ts";
import { QUEUES_CHANNEL, toQueue } from "../../../src/store/queue/announce.ts";
import { openTestStore } from "../../support/store.ts";

test("a queue reads back as it was announced, and nothing else is taken for one", () => {
  const conversationId = toConversationId("shop", "oA");
  expect(toQueue(`outbound shop ${conversationId}`)).toEqual({ direction: "outbound", accountId: "shop", conversationId });
  for (const payload of [undefined, "", "outbound", "outbound shop", "sideways shop cv_1", " shop cv_1"])
    expect(toQueue(payload)).toBeNull();
});

test.runIf(process.env.TEST_DATABASE_URL)("what one process announces, the others hear", async () => {
  const opened = await openTestStore();
  const conversationId = toConversationId("shop", "oA");
  const heard = toPromise();
  const end = await opened.database.listen(QUEUES_CHANNEL, heard.resolve);
  await opened.store.queues.announce({ direction: "outbound", accountId: "shop", conversationId });
  expect(toQueue(await heard.promise)).toEqual({ direction: "outbound", accountId: "shop", conversationId });
  await end();
  await opened.close();
});

/** Node 20 has no Promise.withResolvers. */
function toPromise() {
  let resolve: (payload: string | undefined) => void = () => {};
  const promise = new Promise<string | undefined>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
