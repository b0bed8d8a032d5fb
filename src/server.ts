import { createApp } from "./app/app.ts";
import { ConfigError } from "./base/errors.ts";
import { isRunByNpm, readConfig, readEnvironment } from "./config.ts";

const PARENT_POLL_MS = 500;

/** The process: settings in, gateway up, orderly stop on SIGTERM and SIGINT. */
try {
  const environment = readEnvironment();
  const app = await createApp(readConfig(environment));
  const listening = app.listen();
  // Before anybody can see that we are there, and may stop us at once; such a stop begins when the start is done.
  stopOn(["SIGTERM", "SIGINT"], async () => {
    await listening.catch(() => {});
    await app.close();
  });
  const address = await listening;
  // Only a start that has succeeded makes one.
  if (app.adminKey !== null) console.log(`admin key, shown this once: ${app.adminKey}`);
  if (isRunByNpm(environment)) stopWithParent();
  console.log(`wxdesk listens on ${address}   API description: ${address}/docs`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exit(2);
}

/** A second signal does not wait. */
function stopOn(signals: NodeJS.Signals[], stop: () => Promise<void>): void {
  for (const signal of signals) {
    process.once(signal, () => {
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
    });
  }
}

/** npx puts a shell between itself and us, which ends at a signal without handing it on. Without our parent nobody could stop us. */
function stopWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, PARENT_POLL_MS);
  timer.unref();
}
