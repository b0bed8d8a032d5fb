/** The moment passed before the work was done; the work goes on. */
export class TooLateError extends Error {
  override name = "TooLateError";
}

/** What `work` gives, unless `deadline` comes first: then a TooLateError, and `work` is left to itself without being unhandled. */
export async function before<T>(deadline: Date, now: () => Date, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLateError("not done in time")), Math.max(0, deadline.getTime() - now().getTime()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
