/** What has come and is not stored yet. Somebody waits for each of it with a clock in his hand; the worker has all day. */
export interface Intake {
  /** The same function, whose calls under way are counted. */
  counted<Input, Output>(store: (input: Input) => Promise<Output>): (input: Input) => Promise<Output>;
  /** So much waits that whatever else there is to do should stand back. */
  isPressed(): boolean;
}

/** More than one statement stores at once: what comes next has to wait for two. */
const WAITING_MAX = 100;

export function createIntake(): Intake {
  let waiting = 0;
  return {
    counted: (store) => async (input) => {
      waiting++;
      try {
        return await store(input);
      } finally {
        waiting--;
      }
    },
    isPressed: () => waiting > WAITING_MAX,
  };
}
