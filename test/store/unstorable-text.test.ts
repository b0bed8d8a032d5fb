import { expect, test } from "vitest";
import { ALL_ACCOUNTS } from "../../src/domain/api-key.ts";
import { toConversationId } from "../../src/domain/ids.ts";
import { newAccount, openTestStore, TESTER } from "../support/store.ts";

const TEXT = "a\0b\uD83D";
const STORED = "a\uFFFDb\uFFFD";

test("a warning or a report with a NUL or half a character in it is stored", async () => {
  const { store, close } = await openTestStore();
  try {
    await store.accounts.create(newAccount("shop"), TESTER);
    await store.accounts.setWarning("shop", { code: "48001", sentence: TEXT });
    expect((await store.accounts.get("shop"))?.warnings).toMatchObject([{ sentence: STORED }]);

    const conversation = { conversationId: toConversationId("shop", "oA"), accountId: "shop", openId: "oA" };
    await store.outbound.report(conversation, { agentName: TEXT, notice: TEXT });
    expect(await store.conversations.get(conversation.conversationId, ALL_ACCOUNTS)).toMatchObject({ agentName: STORED, notice: STORED });
  } finally {
    await close();
  }
});
