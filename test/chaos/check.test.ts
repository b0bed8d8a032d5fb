import { expect, test } from "vitest";
import type { Books, CustomerBook, PushedMessage, SeenMessage, SentMessage, StoredMessage } from "./books.ts";
import { check } from "./check.ts";

const sent = (number: number, change: Partial<SentMessage> = {}): SentMessage => ({
  msgId: String(100 + number),
  text: `«m0.${number}» hello`,
  acknowledged: true,
  tries: 1,
  reply: null,
  problem: null,
  from: number * 1_000,
  to: number * 1_000 + 10,
  ...change,
});
const atDesk = (number: number) => ({ msgId: String(100 + number), text: `«m0.${number}» hello`, at: number * 1_000 + 500 });
const pushed = (number: number): PushedMessage => ({ text: `«r0.${number}» hi`, acknowledgedAt: number * 1_000, tries: 1 });
const seen = (number: number, change: Partial<SeenMessage> = {}): SeenMessage => ({
  way: "async",
  isFailure: false,
  text: `«r0.${number}» hi`,
  at: number * 1_000 + 300,
  ...change,
});
const received = (number: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
  ...{ id: `msg_m${number}`, direction: "inbound", text: `«m0.${number}» hello`, state: "forwarded" },
  ...{ way: null, errorCode: null, attempts: 1, settledAt: number * 1_000, ...change },
});
const reply = (number: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
  ...{ id: `msg_r${number}`, direction: "outbound", text: `«r0.${number}» hi`, state: "sent" },
  ...{ way: "async", errorCode: null, attempts: 1, settledAt: number * 1_000 + 200, ...change },
});

/** Two messages and two replies, and nothing went wrong. */
function books(change: Partial<CustomerBook> = {}): Books {
  const book: CustomerBook = {
    openId: "oA",
    sent: [sent(1), sent(2)],
    pushed: [pushed(1), pushed(2)],
    atDesk: [atDesk(1), atDesk(2)],
    seen: [seen(1), seen(2)],
    stored: [received(1), reply(1), received(2), reply(2)],
    pending: { toDesk: 0, toCustomer: 0, held: 0 },
    ...change,
  };
  return {
    customers: [book],
    lagMsMax: 0,
    troubles: [{ from: 50_000, to: 60_000 }],
    explained: new Map([
      ["WECHAT_ANSWER_LOST", 1],
      ["-1", 1],
    ]),
  };
}

const kinds = (change: Partial<CustomerBook>) => check(books(change)).findings.map(({ kind }) => kind);

test("books that agree have no findings, and their figures are counted", () => {
  const { findings, figures } = check(books());
  expect(findings).toEqual([]);
  expect(figures).toMatchObject({ messages: 2, acknowledged: 2, pushes: 2, seenAsync: 2, toDeskMsMax: 490, toCustomerMsMax: 300 });
});

test("notices of outages, which all read the same, are seen as often as they were sent", () => {
  const outage = (number: number) => reply(number, { id: `msg_o${number}`, text: "the desk is away" });
  const saw = (number: number) => seen(number, { text: "the desk is away" });
  const stored = [received(1), outage(1), reply(1), received(2), reply(2), outage(2)];
  expect(kinds({ stored, seen: [saw(1), seen(1), seen(2), saw(3)] })).toEqual([]);
  expect(kinds({ stored, seen: [seen(1, { text: "the desk is away\n«r0.1» hi" }), seen(2), saw(3)] })).toEqual([]);
  expect(kinds({ stored, seen: [saw(1), seen(1), seen(2)] })).toEqual(["lost"]);
  expect(kinds({ stored, seen: [saw(1), saw(1), seen(1), seen(2), saw(3)] })).toEqual(["doubled"]);
});

test("a notice of an outage that ended unsent needs a reason and must not have been seen", () => {
  const stored = [
    received(1),
    reply(1),
    received(2),
    reply(2),
    reply(3, { id: "msg_o3", text: "the desk is away", state: "failed", errorCode: "-1" }),
  ];
  expect(kinds({ stored })).toEqual([]);
  expect(kinds({ stored, seen: [seen(1), seen(2), seen(3, { text: "the desk is away" })] })).toEqual(["doubled"]);
});

test("an acknowledged message that never reached the desk is lost", () => {
  expect(check(books({ atDesk: [atDesk(1)] })).findings).toEqual([
    { kind: "lost", openId: "oA", detail: "«m0.2» hello: acknowledged and never at the desk", messageId: "msg_m2" },
  ]);
  expect(kinds({ atDesk: [atDesk(1)], stored: [received(1), reply(1), reply(2)] })).toEqual(["lost", "lost"]);
});

test("a message that WeChat never got acknowledged may be missing, if the database was away then", () => {
  const missing = { atDesk: [atDesk(1)], stored: [received(1), reply(1), reply(2)] };
  expect(kinds({ ...missing, sent: [sent(1), sent(2, { acknowledged: false, from: 51_000, to: 52_000 })] })).toEqual([]);
  expect(kinds({ ...missing, sent: [sent(1), sent(2, { acknowledged: false })] })).toEqual(["unexplained"]);
});

test("messages that reached the desk in another order than they were written are disordered; a repetition is not", () => {
  expect(kinds({ atDesk: [atDesk(2), atDesk(1)] })).toEqual(["disordered"]);
  expect(kinds({ atDesk: [atDesk(1), atDesk(2), atDesk(1)] })).toEqual([]);
  expect(check(books({ atDesk: [atDesk(1), atDesk(2), atDesk(1)] })).figures.repeatedAtDesk).toBe(1);
});

test("another MsgId or another text at the desk is an alteration", () => {
  expect(kinds({ atDesk: [atDesk(1), atDesk(2), { ...atDesk(2), msgId: "999" }] })).toEqual(["altered"]);
  expect(kinds({ atDesk: [atDesk(1), { ...atDesk(2), text: "«m0.2» Hello" }] })).toEqual(["altered"]);
});

test("a reply that is called sent and was not seen is lost, one that was seen twice is doubled", () => {
  expect(kinds({ seen: [seen(1)] })).toEqual(["lost"]);
  expect(kinds({ seen: [seen(1), seen(2), seen(2)] })).toEqual(["doubled"]);
  expect(kinds({ stored: [received(1), reply(1), received(2)], seen: [seen(1)] })).toEqual(["lost"]);
});

test("a passive reply that nobody saw is lost, unless it rode on a callback that WeChat gave up on just then", () => {
  const change = { seen: [seen(1)], stored: [received(1), reply(1), received(2), reply(2, { way: "passive", settledAt: 51_500 })] };
  expect(kinds(change)).toEqual(["lost"]);
  const givenUp = [sent(1), sent(2, { acknowledged: false, from: 51_000, to: 52_000 })];
  expect(check(books({ ...change, sent: givenUp }))).toMatchObject({ findings: [], figures: { intoTheVoid: 1 } });
  expect(kinds({ ...change, sent: givenUp, stored: [received(1), reply(1), received(2), reply(2, { settledAt: 51_500 })] })).toEqual([
    "lost",
  ]);
});

test("an uncertain reply may have been seen once or not at all, never twice, and only for a reason", () => {
  const stored = (errorCode: string) => [received(1), reply(1), received(2), reply(2, { state: "uncertain", errorCode })];
  expect(kinds({ stored: stored("WECHAT_ANSWER_LOST") })).toEqual([]);
  expect(kinds({ stored: stored("WECHAT_ANSWER_LOST"), seen: [seen(1)] })).toEqual([]);
  expect(kinds({ stored: stored("WECHAT_ANSWER_LOST"), seen: [seen(1), seen(2), seen(2)] })).toEqual(["doubled"]);
  expect(kinds({ stored: stored("SEND_FAILED") })).toEqual(["unexplained"]);
  const both = [
    received(1),
    received(2),
    ...[1, 2].map((number) => reply(number, { state: "uncertain", errorCode: "WECHAT_ANSWER_LOST" })),
  ];
  expect(kinds({ stored: both })).toEqual(["unexplained"]);
});

test("a reply that ended unsent needs a reason, and must not have been seen", () => {
  const stored = (errorCode: string) => [received(1), reply(1), received(2), reply(2, { state: "dead", errorCode })];
  expect(kinds({ stored: stored("-1"), seen: [seen(1)] })).toEqual([]);
  expect(kinds({ stored: stored("-1") })).toEqual(["doubled"]);
  expect(kinds({ stored: stored("45002"), seen: [seen(1)] })).toEqual(["unexplained"]);
});

test("replies seen or stored in another order than they were written are disordered", () => {
  expect(kinds({ seen: [seen(2), seen(1, { at: 9_000 })] })).toEqual(["disordered"]);
  expect(kinds({ stored: [received(1), received(2), reply(2), reply(1)], seen: [seen(2), seen(1)] })).toEqual(["disordered"]);
});

test("a passive reply and the next asynchronous message may cross on the way, within a moment", () => {
  const crossing = (at: number) => check(books({ seen: [seen(2, { at: 2_000 }), seen(1, { way: "passive", at })] }));
  expect(crossing(2_100)).toMatchObject({ findings: [], figures: { crossed: 1 } });
  expect(crossing(3_000).findings).toHaveLength(1);
  const late = books({ seen: [seen(2, { at: 2_000 }), seen(1, { way: "passive", at: 2_400 })] });
  expect(check({ ...late, lagMsMax: 100 }).findings).toHaveLength(1);
  expect(check({ ...late, lagMsMax: 200 }).findings).toEqual([]);
});

test("both ends of a long reply are to be seen once, and joined replies are found", () => {
  const long = "«r0.2» hi\nand so on\n«/r0.2»";
  const change = {
    pushed: [pushed(1), { ...pushed(2), text: long }],
    stored: [received(1), reply(1), received(2), reply(2, { text: long })],
  };
  expect(kinds({ ...change, seen: [seen(1), seen(2), seen(2, { text: "«/r0.2»" })] })).toEqual([]);
  expect(kinds({ ...change, seen: [seen(1), seen(2)] })).toEqual(["lost"]);
  expect(kinds({ seen: [seen(1, { text: "«r0.1» hi\n«r0.2» hi" })] })).toEqual([]);
});

test("what nobody said, what is left over, and a sentence of the platform without a failed callback are found", () => {
  expect(kinds({ seen: [seen(1), seen(2), seen(3)] })).toEqual(["invented"]);
  expect(kinds({ pending: { toDesk: 0, toCustomer: 1, held: 0 } })).toEqual(["stuck"]);
  expect(kinds({ stored: [received(1, { state: "retrying" }), reply(1), received(2), reply(2)] })).toEqual(["stuck"]);
  expect(kinds({ seen: [seen(1), seen(2), seen(3, { isFailure: true, text: "out of service" })] })).toEqual(["unexplained"]);
});
