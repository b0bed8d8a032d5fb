import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import type { AddressCheck } from "./public-address.ts";

/** The name leads to an address that nobody outside may have us call. */
export class AddressRefusedError extends Error {
  readonly code = "ADDRESS_REFUSED";
  override name = "AddressRefusedError";
  readonly address: string;
  constructor(address: string) {
    super(`${address} is not a public address`);
    this.address = address;
  }
}

export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * An undici connector that connects to checked addresses only. What is checked is what is connected to, not an earlier answer for the
 * same name, so a name server that answers differently the second time gains nothing. One bad address refuses the name.
 */
export function createGuardedConnector(
  mayCall: AddressCheck,
  { timeoutMs, resolve = systemLookup }: { timeoutMs: number; resolve?: ResolveAll },
): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const refused = error ? undefined : addresses.find(({ address }) => !mayCall(address));
      const [first] = addresses ?? [];
      if (error || refused || first === undefined) return done(error ?? new AddressRefusedError(refused?.address ?? hostname), []);
      return options.all ? done(null, addresses) : done(null, first.address, first.family);
    });
  };
  const connect = buildConnector({ timeout: timeoutMs, lookup });
  return (options, done) => {
    // An address in the place of a name is never looked up. The URL parser has made 0x7f.1 and 2130706433 dotted by then.
    const literal = options.hostname.replace(/^\[|\]$/g, "");
    if (isIP(literal) !== 0 && !mayCall(literal)) return done(new AddressRefusedError(literal), null);
    return connect(options, done);
  };
}
