import type { Attempt, Message } from "../../domain/message.ts";
import { toMoment } from "./schemas/common.ts";
import type { ShownAttempt, ShownMessage } from "./schemas/message.ts";

export function toShownMessage(message: Message): ShownMessage {
  return {
    id: message.id,
    conversationId: message.conversationId,
    direction: message.direction,
    origin: message.origin,
    type: message.type,
    text: message.text,
    content: { ...message.content },
    state: message.state,
    way: message.way,
    attempts: message.attempts,
    repetitions: message.repetitions,
    error: message.error,
    errorCode: message.errorCode,
    createdAt: toMoment(message.createdAt),
    settledAt: toMoment(message.settledAt),
  };
}

export function toShownAttempt({ number, startedAt, durationMs, outcome, code, detail, way }: Attempt): ShownAttempt {
  return { number, startedAt: toMoment(startedAt), durationMs, outcome, code, detail, way };
}
