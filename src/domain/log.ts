export type LogFields = Record<string, unknown>;

/** One line per unit of work: what happened in dotted past tense ("message.forwarded"), and the fields that make it findable. */
export interface Log {
  debug(fields: LogFields, event: string): void;
  info(fields: LogFields, event: string): void;
  warn(fields: LogFields, event: string): void;
  error(fields: LogFields, event: string): void;
}
