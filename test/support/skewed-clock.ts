/**
 * For `node --import`: a process whose clock is off by so many milliseconds. `Date` alone is changed; timers and the monotonic clock run
 * as ever, as with a machine whose time is set wrongly.
 */
export function skewedClock(offsetMs: number): string {
  const program = `
    const Real = Date;
    const now = () => Real.now() + ${offsetMs};
    globalThis.Date = new Proxy(Real, {
      construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });`;
  return `data:text/javascript,${encodeURIComponent(program)}`;
}
