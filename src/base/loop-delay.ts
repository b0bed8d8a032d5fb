import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 50;
const WINDOW_MS = 1_000;
const NS_PER_MS = 1_000_000;

/** How late the event loop comes to its timers, on average of the last second: as late it comes to a request that lies in its socket. */
export function createLoopDelay(): { ms: () => number; stop: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let ms = 0;
  const timer = setInterval(() => {
    ms = histogram.count === 0 ? 0 : Math.max(0, histogram.mean / NS_PER_MS - RESOLUTION_MS);
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    ms: () => ms,
    stop: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
