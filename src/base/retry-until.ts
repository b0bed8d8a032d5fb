const PAUSE_MS = 250;

/**
 * Repeats `work` until it succeeds, for up to `forMs`, then throws its last error. For statements that write down what has happened
 * outside: a database that is being restarted must not turn what is known into a doubt. The work is fenced, so that a try which was
 * done although its answer got lost is not done twice.
 */
export async function retryUntil<T>(work: () => Promise<T>, forMs: number): Promise<T> {
  const endMs = performance.now() + forMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() + PAUSE_MS > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
