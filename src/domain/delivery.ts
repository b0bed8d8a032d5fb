import type { DueLane } from "./outbox.ts";

/** Asks for a lane to be worked on now. Answers at once and promises nothing: what is promised is in the outbox. */
export type Deliver = (lane: DueLane) => void;
