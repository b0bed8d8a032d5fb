/** What happened to each contact, in order, and a way to wait for more of it. */
export interface Book<Entry> {
  record(openId: string, entry: Entry): void;
  of(openId: string): Entry[];
  /**
   * Resolves with everything in the contact's book once it holds that many entries, or one that the predicate likes.
   * Rejects after `timeoutMs` with a text that lists what is there instead.
   */
  waitFor(openId: string, wanted: Wanted<Entry>, timeoutMs: number): Promise<Entry[]>;
}

export type Wanted<Entry> = number | ((entry: Entry) => boolean);

interface Waiter {
  openId: string;
  look(): void;
}

/** `title` says in errors whose book it is, `toLine` what one entry looks like there. */
export function createBook<Entry>(title: string, toLine: (entry: Entry) => string): Book<Entry> {
  const pages = new Map<string, Entry[]>();
  const waiters = new Set<Waiter>();
  const of = (openId: string) => [...(pages.get(openId) ?? [])];

  const describe = (openId: string, wanted: Wanted<Entry>, timeoutMs: number) => {
    const lines = of(openId).map((entry, index) => `  ${index + 1}. ${toLine(entry)}`);
    const wish = typeof wanted === "number" ? `${wanted} of them` : "another one";
    return [`${title} ${openId}: waited ${timeoutMs} ms for ${wish}, there are ${lines.length}`, ...lines].join("\n");
  };

  return {
    of,
    record: (openId, entry) => {
      const page = pages.get(openId);
      if (page) page.push(entry);
      else pages.set(openId, [entry]);
      for (const waiter of waiters) if (waiter.openId === openId) waiter.look();
    },
    waitFor: (openId, wanted, timeoutMs) =>
      new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(timer);
          waiters.delete(waiter);
        };
        const waiter: Waiter = {
          openId,
          look: () => {
            const entries = of(openId);
            if (!holds(entries, wanted)) return;
            end();
            resolve(entries);
          },
        };
        const timer = setTimeout(() => {
          end();
          reject(new Error(describe(openId, wanted, timeoutMs)));
        }, timeoutMs);
        waiters.add(waiter);
        waiter.look();
      }),
  };
}

function holds<Entry>(entries: readonly Entry[], wanted: Wanted<Entry>): boolean {
  return typeof wanted === "number" ? entries.length >= wanted : entries.some(wanted);
}
