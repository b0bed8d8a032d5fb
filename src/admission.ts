import type { ApiKeyStore } from "./domain/store.ts";

export interface Admission {
  /** The first admin key, when it was generated. */
  readonly adminKey: string | null;
  /** Whether the start has come to its end. */
  isDone(): boolean;
  /** Ends the start, once. One that failed may be tried again. */
  admit(): Promise<void>;
  /** The same keys, of which none is looked up before the start has ended: requests that come in between wait. */
  guard<Keys extends ApiKeyStore>(keys: Keys): Keys;
}

/** Puts what cannot be taken back (keys that are made, printed or replaced) at the end of the start, when nothing can fail any more. */
export function createAdmission(admitNow: () => Promise<string | null>): Admission {
  let adminKey: string | null = null;
  let isDone = false;
  let admitting: Promise<void> | null = null;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const admitOnce = async () => {
    try {
      adminKey = await admitNow();
      isDone = true;
      open();
    } catch (error) {
      admitting = null;
      throw error;
    }
  };
  return {
    get adminKey() {
      return adminKey;
    },
    isDone: () => isDone,
    admit: () => {
      admitting ??= admitOnce();
      return admitting;
    },
    guard: (keys) => ({
      ...keys,
      find: async (hash) => {
        await opened;
        return keys.find(hash);
      },
    }),
  };
}
