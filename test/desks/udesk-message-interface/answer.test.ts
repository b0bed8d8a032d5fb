import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Answer, parseAnswer, readAnswer } from "../../../src/desks/udesk-message-interface/answer.ts";
import { readReport } from "../../../src/desks/udesk-message-interface/report.ts";

const read = (answer: string | Buffer): Answer => readAnswer(parseAnswer({ headers: {}, body: Buffer.from(answer) }));

function reportOf(answer: string): unknown {
  const said = read(answer);
  return said.kind === "taken" ? said.report : said.kind;
}

test("the documented answer is read whole", () => {
  // udesk.md A, "Answer": the sentence is the one of Udesk's page.
  const answer = '{"status":"chatting","turn":0,"agent_name":"Agent 1","msg":"Agent 1 is serving you!"}';
  expect(reportOf(answer)).toEqual({ status: "chatting", turn: 0, agentName: "Agent 1", notice: "Agent 1 is serving you!" });
});

describe("status", () => {
  for (const [said, status] of [
    ["queuing", "queueing"],
    ["queueing", "queueing"],
    ["chatting", "chatting"],
    ["Chatting ", "chatting"],
    ["offline", "offline"],
    ["unknown", "unknown"],
    ["dancing", "unknown"],
    ["__proto__", "unknown"],
    [7, "unknown"],
    [{}, "unknown"],
  ]) {
    test(`${JSON.stringify(said)} is ${status}`, () => {
      expect(reportOf(JSON.stringify({ status: said }))).toEqual({ status });
    });
  }
});

describe("turn", () => {
  for (const [said, turn] of [
    ["2", 2],
    ['"2"', 2],
    ["0", 0],
    ["2.0", 2],
    ['"2.0"', 2],
    ['" 3.00 "', 3],
    ['"2.5"', null],
    ["2147483647", 2_147_483_647],
    ["2147483648", null],
    ["-1", null],
    ["1.5", null],
    ["1e400", null],
    ['"soon"', null],
    ['""', null],
    ["null", null],
    ["[2]", null],
  ]) {
    test(`${said} is ${turn}`, () => {
      expect(reportOf(`{"status":"queueing","turn":${said}}`)).toEqual({ status: "queueing", turn });
    });
  }
});

test("empty, blank and misplaced names and sentences are null", () => {
  expect(reportOf('{"status":"offline","agent_name":"","msg":" "}')).toEqual({ status: "offline", agentName: null, notice: null });
  expect(readReport({ agent_name: true, msg: { a: 1 } })).toEqual({ agentName: null, notice: null });
  expect(readReport({ agent_name: 5 })).toEqual({ agentName: "5" });
});

test("a sentence with tags is read as a customer is to read it, one without stays as it is", () => {
  const msg = '<p>2 before you&hellip; <a href="https://x.cn">skip</a></p><!-- queue -->';
  expect(readReport({ msg })).toEqual({ notice: "2 before you… skip (https://x.cn)" });
  expect(readReport({ msg: "1 &lt; 2 < 3" })).toEqual({ notice: "1 &lt; 2 < 3" });
  expect(readReport({ msg: "<p><br></p>" })).toEqual({ notice: null });
});

test("what is missing is absent", () => {
  expect(readReport({ msg: "please wait" })).toEqual({ notice: "please wait" });
});

test("what no column can hold is taken out of a sentence", () => {
  expect(readReport({ msg: "a\u0000b\ud800" })).toEqual({ notice: "ab\uFFFD" });
});

describe("taken, with a status that is unknown, whatever its value:", () => {
  test.each(['{"status":null}', '{"status":""}', '{"status":7}', '{"status":[],"msg":""}', '{"status":"error"}'])("%s", (answer) => {
    expect(read(answer)).toMatchObject({ kind: "taken", report: { status: "unknown" } });
  });
});

describe("taken, without a word of the conversation:", () => {
  test.each(['{"success":true}', '{"success":"true"}', '{"success":true,"msg":"ok"}'])("%s", (answer) => {
    expect(read(answer)).toEqual({ kind: "taken", report: null });
  });
});

describe("silent:", () => {
  test.each(["", " \r\n\t", "\uFEFF"])("%j", (answer) => {
    expect(read(answer)).toEqual({ kind: "silent" });
  });
});

describe("nobody says that the message was taken:", () => {
  test.each([
    ...[
      "OK",
      "success",
      "<html>",
      "<xml><return_code>SUCCESS</return_code></xml>",
      "{}",
      "[]",
      '[{"status":"chatting"}]',
      "null",
      "5",
      "true",
    ],
    ...['"chatting"', '"{\\"status\\":1}"', '{"code":1000}', '{"code":2059,"message":"bad"}', '{"success":1}', '{"success":"yes"}'],
    ...['{"msg":"please wait"}', '{"turn":2}', '{"Status":"chatting"}', '{"data":{"status":"chatting"}}', "{", '{"status":"chatting","tu'],
    "[".repeat(20_000),
  ])("%.40s", (answer) => {
    expect(read(answer)).toEqual({ kind: "other" });
  });
});

test("a status is read behind a byte order mark, with raw control characters, and with something behind it", () => {
  expect(reportOf('\uFEFF{"status":"chatting","msg":"one\ntwo"}<!-- node 3 -->')).toEqual({ status: "chatting", notice: "one two" });
});

test("no answer makes it throw", () => {
  const odd = fc.record({ status: fc.jsonValue(), turn: fc.jsonValue(), agent_name: fc.jsonValue(), msg: fc.jsonValue() });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array().map(Buffer.from), odd.map(JSON.stringify).map(Buffer.from)), (body) => {
      expect(read(body)).toBeTypeOf("object");
    }),
  );
});
