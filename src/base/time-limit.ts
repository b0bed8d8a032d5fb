/**
 * Runs `work` with a signal that is aborted after `ms`, or with `parent`. Both ties are cut when the work ends: a parent that lives
 * as long as the process would otherwise keep something of every piece of work.
 */
export async function withTimeLimit<T>(ms: number, parent: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(parent?.reason);
  const timer = setTimeout(() => controller.abort(new DOMException(`not done within ${ms} ms`, "TimeoutError")), ms);
  parent?.addEventListener("abort", stop, { once: true });
  if (parent?.aborted) stop();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    parent?.removeEventListener("abort", stop);
  }
}
