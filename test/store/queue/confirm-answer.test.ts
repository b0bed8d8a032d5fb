import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../../src/domain/api-key.ts";
import { CONTACT, head, useFlowStage } from "../../flow/stage.ts";

const stage = useFlowStage();

test("a conversation whose answer was taken late is listed among those that changed since", async () => {
  const { store, database } = stage.opened;
  const { messageId } = await stage.write("hello");
  await stage.say("hi there");
  const callback = { conversationId: CONTACT.conversationId, messageId, holder: "callback-1", messagesMax: 1, leaseMs: 30_000 };
  const { claim } = await store.queues.claimForCallback(callback);
  if (claim === null) throw new Error("nothing to take");
  const { message } = head(claim);
  const answer = { messageIds: [message.id], content: message.content, createdAt: new Date() };
  await store.queues.begin(claim, [head(claim)], "passive", 30_000, { inboundId: messageId, answer });
  await database.prisma
    .$executeRaw`UPDATE conversations SET updated_at = now() - interval '1 minute', active_at = now() - interval '1 minute'`;
  await store.queues.confirmAnswer(messageId);
  const updatedSince = new Date(Date.now() - 30_000);
  expect(await store.conversations.list({ updatedSince }, { limit: 10 }, ALL_ACCOUNTS)).toMatchObject({
    items: [{ id: CONTACT.conversationId }],
  });
});
