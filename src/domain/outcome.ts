/**
 * How one try ended, named after what happens next. A vendor saying no is not an exception.
 *
 * done: the vendor took it · retry: nothing was taken, worth another try · rejected: this message will never be taken ·
 * hold: the platform takes it only after the contact's next message · uncertain: the bytes left and no answer came, so
 * another try might say it twice.
 */
export type Outcome =
  | { kind: "done" /** What the vendor said, where that is worth keeping. */; detail?: string }
  | {
      kind: "retry";
      code: string;
      detail: string /** The vendor's words: kept with the attempt, never logged. */;
      said?: string;
      retryAfterMs?: number;
      triesMax?: number;
    }
  | {
      kind: "rejected";
      code: string;
      detail: string;
      /** The platform does not know the media id. */
      isMediaUnknown?: true;
      /** Nothing but its length is wrong. */
      isTooLong?: true;
    }
  | { kind: "hold"; code: string; detail: string; ended?: Allowance }
  | { kind: "uncertain"; code: string; detail: string };

/** What the platform says is over until the contact acts again: the time for asynchronous messages, or their number. */
export type Allowance = "window" | "quota";

/** The sentence with the vendor's own words behind it, where there are any. */
export function withSaid(sentence: string, said = ""): string {
  return said === "" ? sentence : `${sentence}; it said: ${said}`;
}

export const DONE: Outcome = { kind: "done" };
