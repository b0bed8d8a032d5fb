import { describe, expect, test } from "vitest";
import { completeReport } from "../../src/domain/complete-report.ts";
import type { StatusReport } from "../../src/domain/conversation.ts";

describe("what a status says of the fields beside it:", () => {
  const cases: [string, StatusReport, StatusReport][] = [
    ["chatting ends the queue", { status: "chatting" }, { status: "chatting", turn: 0 }],
    ["chatting has no place in it", { status: "chatting", turn: 4 }, { status: "chatting", turn: 0 }],
    [
      "chatting keeps the agent who is named",
      { status: "chatting", agentName: "Lily" },
      { status: "chatting", turn: 0, agentName: "Lily" },
    ],
    ["queueing has no agent, and no place that was not told", { status: "queueing" }, { status: "queueing", turn: null, agentName: null }],
    ["queueing has the place that was told", { status: "queueing", turn: 2 }, { status: "queueing", turn: 2, agentName: null }],
    ["offline has neither", { status: "offline", turn: 0, agentName: "Lily" }, { status: "offline", turn: null, agentName: null }],
    ["unknown leaves neither certain", { status: "unknown" }, { status: "unknown", turn: null, agentName: null }],
    ["unknown keeps what is said", { status: "unknown", turn: 3 }, { status: "unknown", turn: 3, agentName: null }],
    ["without a status only what is said changes", { agentName: "Lily" }, { agentName: "Lily" }],
    ["a notice is the desk's last word", { status: "chatting", notice: "hello" }, { status: "chatting", turn: 0, notice: "hello" }],
  ];
  test.each(cases)("%s", (_, said, complete) => {
    expect(completeReport(said)).toEqual(complete);
  });
});
