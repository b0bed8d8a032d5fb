// Loaded before the gateway with `--import`: its clock is off by TEST_CLOCK_SKEW_MS, as that of a machine without NTP.
const skewMs = Number(process.env.TEST_CLOCK_SKEW_MS);
const TrueDate = Date;

globalThis.Date = class extends TrueDate {
  constructor(...given) {
    if (given.length === 0) super(TrueDate.now() + skewMs);
    else super(...given);
  }

  static now() {
    return TrueDate.now() + skewMs;
  }
};
