import Fastify from "fastify";
import { expect, onTestFinished, test } from "vitest";
import { createSignals } from "../../src/base/signals.ts";
import type { Connection } from "../../src/domain/connection.ts";
import type { Change } from "../../src/domain/signals.ts";
import { wechatCallbacks } from "../../src/http/wechat-callbacks.ts";
import { CONTACT, textChannel, useFlowStage } from "../flow/stage.ts";
import { eventually } from "../support/gateway.ts";
import { callAndReset } from "../support/resetting-caller.ts";

const stage = useFlowStage();

/** The callbacks' route alone, for a contact who says hello; `onSend` runs just before a response is written. */
async function serve(onSend: (destroy: () => void) => void): Promise<string> {
  const { accounts, inbound, queues } = stage.opened.store;
  const account = await accounts.get(CONTACT.accountId);
  if (account === null) throw new Error("the stage has its account");
  const content = { type: "text", text: "hello" } as const;
  const message = { openId: CONTACT.openId, dedupeKey: "hello", vendorMessageId: null, sentAt: new Date(), content };
  const replyTo = { openId: CONTACT.openId, accountName: "gh_1", credential: null };
  const channel = textChannel({ open: () => ({ kind: "message", message, replyTo }) });
  const connection = { account, channel, acceptsPushToken: () => false } as Partial<Connection> as Connection;
  const app = Fastify();
  app.addHook("onSend", (request, _reply, payload, done) => {
    onSend(() => request.raw.socket.destroy());
    done(null, payload);
  });
  const note = () => {};
  await app.register(wechatCallbacks, {
    ...{ accounts, inbound, queues, signals: createSignals<Change>(), now: () => new Date(), deliver: () => {}, reserve: () => null },
    connections: { get: async () => connection, forget: () => {} },
    ...{ isStopping: () => false, isPressed: () => false, openMax: 1, log: { debug: note, info: note, warn: note, error: note } },
    admission: { refusal: () => null, enter: () => () => {}, open: () => 0 },
  });
  onTestFinished(() => app.close());
  await app.listen({ port: 0, host: "127.0.0.1" });
  return `${app.listeningOrigin}/wechat/${CONTACT.accountId}`;
}

const queue = () => stage.opened.database.prisma.conversation.findFirstOrThrow();

test.each([
  [
    "closes",
    (url: string, onSend: { run: (destroy: () => void) => void }) => {
      onSend.run = (destroy) => destroy();
      return fetch(url, { method: "POST" }).then(
        () => {},
        () => {},
      );
    },
  ],
  [
    "is reset, which the event loop has not read yet,",
    (url: string, onSend: { run: (destroy: () => void) => void }) => {
      const caller = callAndReset(new URL(url));
      onSend.run = caller.reset;
      return caller.ended;
    },
  ],
])(
  "a connection that %s while its reply is written leaves it begun, and WeChat's next try gets the same reply",
  async (_, callAndHangUp) => {
    const onSend = { run: (_destroy: () => void) => {} };
    const url = await serve((destroy) => onSend.run(destroy));
    await stage.write("earlier", 0);
    const messageId = await stage.say("hi there");
    await callAndHangUp(url, onSend);
    const lost = await eventually("the callback to end", queue, ({ openCallbacks }) => openCallbacks.length === 0);
    expect(lost).toMatchObject({ outboundBegun: 1, outboundBegunWay: "passive" });
    onSend.run = () => {};
    expect(await (await fetch(url, { method: "POST" })).text()).toBe("hi there");
    await eventually(
      "the reply to be sent",
      () => stage.stateOf(messageId),
      ({ state }) => state === "sent",
    );
    expect(await queue()).toMatchObject({ openCallbacks: [], outboundBegun: 0 });
  },
);
