import { type App, createApp } from "./app.ts";
import { readConfig, readEnvironment } from "./config.ts";
import { ConfigError } from "./domain/errors.ts";

/** The process: settings in, gateway up, orderly stop on SIGTERM and SIGINT. */
try {
  const app = await createApp(readConfig(readEnvironment()));
  // Before anything else can fail, such as a port that is taken: it is stored already and will not be made again.
  if (app.adminKey !== null) console.log(`admin key, shown this once: ${app.adminKey}`);
  const address = await app.listen();
  // Before the line that says so: whoever reads it may stop us at once.
  stopOn(["SIGTERM", "SIGINT"], app);
  console.log(`wxdesk listens on ${address}   API description: ${address}/docs`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exit(2);
}

/** A second signal does not wait. */
function stopOn(signals: NodeJS.Signals[], app: App): void {
  for (const signal of signals) {
    process.once(signal, () => {
      app.close().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}
