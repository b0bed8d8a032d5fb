export type LogFields = Record<string, unknown>;

/** One line per unit of work: what happened in dotted past tense ("message.forwarded"), and the fields that make it findable. What people say goes into `text` and nowhere else: it is dropped unless the operator asked for it. */
export interface Log {
  debug(fields: LogFields, event: string): void;
  info(fields: LogFields, event: string): void;
  warn(fields: LogFields, event: string): void;
  error(fields: LogFields, event: string): void;
}
