import type { ApiKeyStore } from "../domain/store.ts";

export interface KeyGate {
  /** The first admin key, when it was generated. */
  readonly adminKey: string | null;
  isOpen(): boolean;
  /** Makes the keys and opens the gate, once. A call that failed may be repeated. */
  open(): Promise<void>;
  /** The same keys, none of which is looked up while the gate is shut: requests that come in between wait. */
  guard<Keys extends ApiKeyStore>(keys: Keys): Keys;
}

/** Puts what cannot be taken back (keys that are made, printed or replaced) at the end of the start, when nothing can fail any more. */
export function createKeyGate(makeKeys: () => Promise<string | null>): KeyGate {
  let adminKey: string | null = null;
  let isOpen = false;
  let opening: Promise<void> | null = null;
  let letIn = () => {};
  const opened = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  const openOnce = async () => {
    try {
      adminKey = await makeKeys();
      isOpen = true;
      letIn();
    } catch (error) {
      opening = null;
      throw error;
    }
  };
  return {
    get adminKey() {
      return adminKey;
    },
    isOpen: () => isOpen,
    open: () => {
      opening ??= openOnce();
      return opening;
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
