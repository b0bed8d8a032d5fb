import { createAdmission } from "../base/admission.ts";
import { createLoopDelay } from "../base/loop-delay.ts";
import { createWaitingLine } from "../base/waiting-line.ts";
import { ADMIT_MS_MAX } from "../flow/deadlines.ts";

/** Of the 0.95 s that a push may wait to be stored; the rest is for an expectation that was too good. */
const PUSH_WAIT_MS_MAX = 800;
const CALLBACKS_WAITING_MAX = 2_000;
const PUSHES_WAITING_MAX = 1_000;
/** More than one statement stores at once: what comes next has to wait for two. */
const PRESSED_FROM = 101;

/** How much is under way in this process, and what it still takes. */
export function createLoad({ openCallbacksMax }: { openCallbacksMax: number }) {
  const loop = createLoopDelay();
  const [lookups, inbound, outbound] = [createWaitingLine(), createWaitingLine(), createWaitingLine()];
  const shared = { loopDelayMs: loop.ms };
  return {
    lookups,
    inbound,
    outbound,
    callbacks: {
      openMax: openCallbacksMax,
      admission: createAdmission({
        ...shared,
        lines: [lookups, inbound],
        waitMsMax: ADMIT_MS_MAX,
        waitingMax: CALLBACKS_WAITING_MAX,
        openMax: 2 * openCallbacksMax,
      }),
    },
    pushes: {
      admission: createAdmission({
        ...shared,
        lines: [lookups, outbound],
        waitMsMax: PUSH_WAIT_MS_MAX,
        waitingMax: PUSHES_WAITING_MAX,
        openMax: 2 * PUSHES_WAITING_MAX,
      }),
    },
    /** So much waits to be stored that the worker should stand back. */
    isPressed: () => inbound.size() + outbound.size() >= PRESSED_FROM,
    stop: loop.stop,
  };
}
