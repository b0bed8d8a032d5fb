import type { Attempt } from "../domain/message.ts";
import type { Outcome } from "../domain/outcome.ts";

/**
 * A media id that the gateway has just uploaded, and that the platform then does not know, is worth a second upload (wechat.md §9). The
 * next try makes it, as every try uploads anew. Once per message, over retries, crashes and replicas: the attempts remember it. A
 * refused send has shown the contact nothing, so nothing is said twice.
 */
export function uploadAgain(outcome: Outcome, earlier: readonly Pick<Attempt, "code">[]): Outcome {
  if (outcome.kind !== "rejected" || !outcome.isMediaUnknown) return outcome;
  const { code, detail } = outcome;
  if (earlier.some((attempt) => attempt.code === code)) {
    return { ...outcome, detail: `refused again after a second upload: ${detail}` };
  }
  return { kind: "retry", code, detail: `this gateway had just uploaded it, and uploads it once more: ${detail}` };
}
