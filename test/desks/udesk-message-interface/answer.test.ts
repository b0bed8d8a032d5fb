import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAnswer, toStatusReport } from "../../../src/desks/udesk-message-interface/answer.ts";

function reportOf(answer: string): unknown {
  return toStatusReport(parseAnswer(Buffer.from(answer)));
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
  expect(reportOf('{"agent_name":5,"msg":{"a":1}}')).toEqual({ agentName: null, notice: null });
});

test("a sentence with tags is read as a customer is to read it, one without stays as it is", () => {
  const msg = '<p>2 before you&hellip; <a href="https://x.cn">skip</a></p><!-- queue -->';
  expect(reportOf(JSON.stringify({ msg }))).toEqual({ notice: "2 before you… skip (https://x.cn)" });
  expect(reportOf('{"msg":"1 &lt; 2 < 3"}')).toEqual({ notice: "1 &lt; 2 < 3" });
  expect(reportOf('{"msg":"<p><br></p>"}')).toEqual({ notice: null });
});

test("what is missing is absent and so changes nothing", () => {
  expect(reportOf('{"msg":"please wait"}')).toEqual({ notice: "please wait" });
});

test("what no column can hold is taken out of a sentence", () => {
  expect(reportOf('{"msg":"a\\u0000b\\ud800"}')).toEqual({ notice: "ab\uFFFD" });
});

describe("an answer that says nothing we understand is unknown:", () => {
  for (const answer of ["", "OK", "<html>", "{}", "[]", "null", "5", '"chatting"', '{"code":1000}', "{", "[".repeat(20_000)]) {
    test(JSON.stringify(answer.slice(0, 20)), () => {
      expect(reportOf(answer)).toEqual({ status: "unknown" });
    });
  }
});

test("no answer makes it throw", () => {
  const odd = fc.record({ status: fc.jsonValue(), turn: fc.jsonValue(), agent_name: fc.jsonValue(), msg: fc.jsonValue() });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array().map(Buffer.from), odd.map(JSON.stringify).map(Buffer.from)), (body) => {
      expect(toStatusReport(parseAnswer(body))).toBeTypeOf("object");
    }),
  );
});
