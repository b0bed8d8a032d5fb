interface Call {
  id: number;
  verb: string;
  argument: unknown;
}

/** The other end of `startChild`: answers calls by name, and ends with the process that asked. */
export function serve(handlers: Record<string, (argument: never) => unknown>): void {
  process.on("message", ({ id, verb, argument }: Call) => {
    answer(id, verb, argument).catch((error: unknown) => {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    });
  });
  process.once("disconnect", () => process.exit(0));

  async function answer(id: number, verb: string, argument: unknown): Promise<void> {
    if (verb === "ready") {
      process.send?.({ id });
      return;
    }
    const handle = handlers[verb];
    if (handle === undefined) throw new Error(`no ${verb} here`);
    process.send?.({ id, result: await handle(argument as never) });
  }
}
