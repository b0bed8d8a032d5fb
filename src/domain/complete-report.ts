import type { StatusReport } from "./conversation.ts";

/**
 * A report with what its status says of the fields that it leaves out, so that nothing stays known that no longer holds. The one rule
 * for answers and pushes of every desk; the store writes reports through it.
 *
 *   chatting   turn 0, as in Udesk's answers (udesk.md A); an agent who is not named again stays
 *   queueing   the agent has left; a place that is not told is not known, since the queue has moved
 *   offline    no agent and no queue, even when other fields name one
 *   unknown    neither place nor agent is certain unless it is said
 *
 * Without a status, only what is said changes. The notice is what the desk said last, so it stays until the next one.
 */
export function completeReport(report: StatusReport): StatusReport {
  switch (report.status) {
    case undefined:
      return report;
    case "chatting":
      return { ...report, turn: 0 };
    case "offline":
      return { ...report, turn: null, agentName: null };
    case "queueing":
    case "unknown":
      return { turn: null, agentName: null, ...report };
  }
}
