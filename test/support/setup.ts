import fc from "fast-check";

/** The seed of the property tests on CI: what one commit passed, it passes again. Elsewhere every run tries other values. */
const CI_SEED = 20261122;

if (process.env.CI) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: CI_SEED });
