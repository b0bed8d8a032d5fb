/** Counts what a stop waits for. */
export interface OpenWork {
  /** @returns ends it; a second call does nothing */
  begin(): () => void;
  /** Resolves when nothing is open, what begins meanwhile included. */
  ended(): Promise<void>;
}

/** A counter and not a set of promises: there are several pieces of work for each message. */
export function createOpenWork(): OpenWork {
  let open = 0;
  let waiting: (() => void)[] = [];
  return {
    begin: () => {
      let isOpen = true;
      open++;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        open--;
        if (open > 0) return;
        for (const resolve of waiting) resolve();
        waiting = [];
      };
    },
    ended: () => (open === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
