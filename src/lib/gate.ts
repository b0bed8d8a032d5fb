/** Lets so many through at a time. The others wait in order. */
export interface Gate {
  /** What gives the place back, to be called once; null when `signal` ended the wait. */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
}

export function createGate(placesMax: number): Gate {
  let taken = 0;
  const waiting = new Set<() => void>();
  const leave = () => {
    taken -= 1;
    const [next] = waiting;
    next?.();
  };
  return {
    enter: (signal) =>
      new Promise((resolve) => {
        const end = (place: (() => void) | null) => {
          waiting.delete(enter);
          signal.removeEventListener("abort", giveUp);
          resolve(place);
        };
        const giveUp = () => end(null);
        const enter = () => {
          taken += 1;
          end(leave);
        };
        if (signal.aborted) return giveUp();
        if (taken < placesMax) return enter();
        waiting.add(enter);
        signal.addEventListener("abort", giveUp, { once: true });
      }),
  };
}
