import { describe, expect, test } from "vitest";
import { push } from "./support.ts";

function repliesTo(messages: unknown, fields: Record<string, unknown> = {}) {
  return push(JSON.stringify({ customer_token: "oABC", assign_type: "agent", messages, ...fields })).replies;
}

describe("each type of the open API's push is read:", () => {
  for (const [type, data, content] of [
    ["message", { content: "hi" }, { type: "text", text: "hi" }],
    ["message", { content: "a < b\n& c" }, { type: "text", text: "a < b\n& c" }],
    ["message", { content: '<p>see <a href="http://u">this</a></p>' }, { type: "text", text: "see this (http://u)" }],
    ["rich", { content: "<p>a</p><p>b</p>" }, { type: "text", text: "a\nb" }],
    ["image", { content: "http://p" }, { type: "image", url: "http://p" }],
    ["file", { content: "http://f", filename: "a.pdf" }, { type: "file", url: "http://f", title: "a.pdf" }],
    ["file", { content: "http://f", title: "b", description: "d" }, { type: "file", url: "http://f", title: "b", description: "d" }],
    ["file", { content: "http://f", filename: "a.pdf", title: "b" }, { type: "file", url: "http://f", title: "a.pdf" }],
    ["file", { content: "http://f" }, { type: "file", url: "http://f" }],
  ] as const) {
    test(`${type} ${JSON.stringify(data)}`, () => {
      expect(repliesTo([{ type, message_id: "1", data }])).toEqual([{ openId: "oABC", pushId: "1", content, report: null }]);
    });
  }
});

test("several messages keep their order, their ids and their agents", () => {
  const messages = [
    { type: "message", message_id: 11, agent_name: "Li", data: { content: "one" } },
    { type: "message", message_id: 12, agent_name: "", data: { content: "two" } },
  ];
  expect(repliesTo(messages)).toEqual([
    { openId: "oABC", pushId: "11", content: { type: "text", text: "one" }, report: { agentName: "Li" } },
    { openId: "oABC", pushId: "12", content: { type: "text", text: "two" }, report: { agentName: null } },
  ]);
});

test("a robot's single message may stand without a list", () => {
  expect(repliesTo({ type: "message", message_id: "1", data: { content: "hi" } })).toMatchObject([{ content: { text: "hi" } }]);
});

test("session events tell the agent's name and say nothing", () => {
  for (const type of ["start_session", "transfer", "close"]) {
    expect(repliesTo([{ type, message_id: "1", agent_name: "Li", close_type: "normal" }])).toEqual([
      { openId: "oABC", pushId: "1", content: null, report: { agentName: "Li" } },
    ]);
    expect(repliesTo([{ type, message_id: "1" }])).toEqual([]);
  }
});

test("unknown types and empty HTML are passed over, what stands beside them is not", () => {
  const messages = [{ type: "hologram", data: 5 }, { type: 7 }, {}, { type: "message", data: { content: "<p> </p>\u0007" } }];
  expect(repliesTo([...messages, { type: "message", data: { content: "hi" } }])).toMatchObject([{ content: { text: "hi" } }]);
});

describe("messages that are an object of messages are the list of them:", () => {
  const said = (content: string) => ({ type: "message", data: { content } });
  test.each([{ "0": said("one"), "2": said("two") }, { m1: said("one"), m2: said("two") }, [{ m1: said("one"), m2: said("two") }]])(
    "%j",
    (messages) => {
      expect(repliesTo(messages)).toMatchObject([{ content: { text: "one" } }, { content: { text: "two" } }]);
    },
  );

  test("and so in a form, where items have names of their own", () => {
    const fields = ["m1", "m2"].map((name) => `messages[${name}][type]=message&messages[${name}][data][content]=${name}`);
    expect(push(`customer_token=o1&${fields.join("&")}`).replies).toMatchObject([{ content: { text: "m1" } }, { content: { text: "m2" } }]);
  });

  test("unless one of them cannot be read", () => {
    expect(() => repliesTo({ "0": said("one"), "2": { data: { content: "two" } } })).toThrow(
      "push has messages.1.data.content in a message",
    );
    expect(() => repliesTo({ "0": said("one"), "2": "two" })).toThrow("push has messages.0.0.data.content in a message");
  });
});

describe("an event that is not known and has no words is passed over:", () => {
  test.each([
    { type: "read", message_id: "7", im_sub_session_id: "9", agent_id: "3", agent_nick_name: "Li", message_created_at: "2026-11-28 10:00" },
    { type: "typing", data: { content: "", on: true, agent_avatar: "http://a", updated_at: "1" } },
    { type: "close", close_type: "normal", survey_options: [{ id: 1, text: "good" }] },
  ])("$type", (event) => {
    expect(repliesTo([event])).toEqual([]);
  });
});

test("20,000 levels and 200,000 fields without words are passed over", () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  const wide = JSON.stringify(Array.from({ length: 200_000 }, () => 1));
  expect(push(`{"customer_token":"o","messages":[{"type":"hologram","data":[${deep},${wide}]}]}`).replies).toEqual([]);
});

test.each([
  [{ type: "card", data: { text: "hello card" } }, "messages.1.data.text"],
  [{ message: "words" }, "messages.1.message"],
  [{ type: "message2", data: { text: { content: "nested" } } }, "messages.1.data.text.content"],
  [{ type: "voice", data: { media_id: "m" } }, "messages.1.data.media_id"],
  [{ type: "hologram", data: { content: 7 } }, "messages.1.data.content"],
  [{ type: "menu", list: [{ id: "1" }, { id: "2", "a secret": "pick" }] }, "messages.1.list.1.…"],
])("words in a message of a type that is not known are refused with their place: %j", (message, place) => {
  expect(() => repliesTo([{ type: "message", data: { content: "hi" } }, message])).toThrow(
    `push has ${place} in a message whose type is none of message, rich, image, file; send it as one of these`,
  );
});

describe("content of a type that is not known is refused, not passed over:", () => {
  test.each([
    { type: "hologram", data: { content: "words" } },
    { type: "hologram", data: "words" },
    { type: "video", data: { url: "http://v" } },
    { data: { content: "words" } },
    { type: 7, content: "words" },
  ])("%j", (message) => {
    expect(() => repliesTo([message])).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringContaining("type is none of message, rich, image, file") }),
    );
  });

  test("and so are words beside the messages, or beside the data of one", () => {
    const said = { type: "message", data: { content: "hi" } };
    expect(() => repliesTo([said], { content: "words" })).toThrow("push has content beside its messages; put it into messages");
    expect(() => repliesTo([said], { text: { content: "words" } })).toThrow("push has text beside its messages; put it into messages");
    expect(() => repliesTo([said, { ...said, content: "words" }])).toThrow(
      "push has content beside the data of messages.1; put it there, or into a message of its own",
    );
    expect(() => repliesTo([{ type: "message", data: { content: "" }, content: "words" }])).toThrow("beside the data of messages.0");
    expect(() => repliesTo([{ type: "rich", data: { content: "hi", title: "words" } }])).toThrow(
      "messages.0.data.title: is not shown there",
    );
    expect(repliesTo([{ ...said, content: "hi", title: null }], { content: "", text: {} })).toMatchObject([{ content: { text: "hi" } }]);
  });

  test("and so is content beside the messages' own place", () => {
    expect(() => repliesTo(undefined, { status: "chatting", content: "hi" })).toThrow("push has content but no messages");
    expect(() => repliesTo([{ type: "message", content: "hi" }])).toThrow(/^messages\.0\.data: /);
  });
});

test("status fields at the top are joined with each message's agent; a message's own status is not the conversation's", () => {
  const message = { type: "message", status: "sent", agent_name: "Li", data: { content: "hi" } };
  expect(repliesTo([message], { status: "chatting", turn: 0 })).toMatchObject([
    { report: { status: "chatting", turn: 0, agentName: "Li" } },
  ]);
});

test("a status without messages has no content", () => {
  expect(repliesTo(undefined, { status: "offline" })).toEqual([
    { openId: "oABC", pushId: null, content: null, report: { status: "offline" } },
  ]);
});

test("one message that cannot be read refuses the push, so that it can be sent again whole", () => {
  const good = { type: "message", data: { content: "hi" } };
  for (const bad of [
    { type: "message" },
    { type: "image", data: { content: "" } },
    { type: "file", data: { content: 5 } },
    null,
    "x",
    [],
  ]) {
    expect(() => repliesTo([good, bad])).toThrow(
      expect.objectContaining({ code: "MESSAGE_INVALID", message: expect.stringMatching(/^messages\./) }),
    );
  }
  expect(repliesTo([good])).toHaveLength(1);
});

test("a push without messages or status is refused", () => {
  expect(() => repliesTo(undefined)).toThrow(expect.objectContaining({ code: "MESSAGE_INVALID" }));
});

test("a hundred messages are taken, one more is refused", () => {
  const messages = Array.from({ length: 101 }, (_, index) => ({ type: "message", message_id: index + 1, data: { content: "x" } }));
  expect(repliesTo(messages.slice(1))).toHaveLength(100);
  expect(() => repliesTo(messages)).toThrow(expect.objectContaining({ message: expect.stringContaining("at most 100") }));
});
