import { z } from "zod";
import type { Direction, MessageState, Origin, Way } from "../../../domain/message.ts";
import { isBlank } from "../../../domain/sendable-text.ts";
import { shownMoment } from "./common.ts";
import { MESSAGE_EXAMPLES, MESSAGE_WITH_ATTEMPTS_EXAMPLES, NEW_MESSAGE_EXAMPLES } from "./examples.ts";

const STATES = [
  "received",
  "forwarded",
  "retrying",
  "dead",
  "queued",
  "sent",
  "held",
  "uncertain",
  "failed",
] as const satisfies MessageState[];

const way = z.enum(["passive", "async"] satisfies Way[]).nullable();

const fields = {
  id: z.string(),
  conversationId: z.string(),
  direction: z.enum(["inbound", "outbound"] satisfies Direction[]),
  origin: z.enum(["contact", "agent", "notice", "operator"] satisfies Origin[]).describe("Who wrote it."),
  type: z.string(),
  text: z.string().describe("A readable line, whatever the type."),
  content: z.looseObject({ type: z.string() }).describe("The whole content; its fields follow from its type."),
  state: z
    .enum(STATES)
    .describe("Inbound: received, forwarded, retrying, dead. Outbound: queued, sent, held, retrying, uncertain, failed, dead."),
  way: way.describe("How an outbound message left."),
  repetitions: z.int().describe("Outbound: how often its sender sent it again; it was stored, and is sent, once."),
  error: z.string().nullable(),
  errorCode: z.string().nullable().describe("The platform's or the desk's code."),
  createdAt: shownMoment,
  settledAt: shownMoment.nullable(),
};

export const shownMessage = z
  .object({ ...fields, attempts: z.int().describe("How many so far.") })
  .meta({ id: "Message", examples: MESSAGE_EXAMPLES });

const shownAttempt = z.object({
  number: z.int(),
  startedAt: shownMoment,
  durationMs: z.int(),
  outcome: z.string(),
  code: z.string().nullable().describe("The platform's or the desk's code."),
  detail: z.string().nullable().describe("What the code means."),
  way,
});

export const shownMessageWithAttempts = z
  .object({ ...fields, attempts: z.array(shownAttempt) })
  .meta({ id: "MessageWithAttempts", examples: MESSAGE_WITH_ATTEMPTS_EXAMPLES });

export type ShownMessage = z.output<typeof shownMessage>;
export type ShownAttempt = z.output<typeof shownAttempt>;

export const newMessage = z
  .strictObject({
    type: z.literal("text"),
    text: z
      .string()
      .max(20_000)
      .regex(/\S/, "must hold something to read")
      .refine((text) => !/\S/.test(text) || !isBlank(text), "must hold something to read")
      .describe("Long texts are split where a reader would pause."),
  })
  .meta({ examples: NEW_MESSAGE_EXAMPLES });

export const idempotencyHeaders = z.object({
  "idempotency-key": z.string().min(1).max(200).optional().describe("A request repeated with the same key says nothing twice."),
});
