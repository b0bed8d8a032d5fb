import { VerificationError } from "../../base/errors.ts";
import type { PushRequest } from "../../domain/desk.ts";
import { verifySign } from "./sign.ts";

/**
 * The unguessable address has already been checked; a `sign` is a second proof. If there is one it has to be right.
 * @throws VerificationError PUSH_UNAUTHORIZED
 */
export function authorizePush(query: PushRequest["query"], { keys, requireSign }: { keys: readonly string[]; requireSign: boolean }): void {
  if (query.sign === undefined) {
    if (requireSign)
      throw new VerificationError(
        "PUSH_UNAUTHORIZED",
        "push has no sign, and desk.requireSign is set; let the desk sign its pushes, or set it to false",
      );
    return;
  }
  const identity = { number: single(query, "number"), email: single(query, "email"), timestamp: single(query, "timestamp") };
  const sign = single(query, "sign");
  if (!keys.some((key) => verifySign(sign, identity, key))) {
    throw new VerificationError("PUSH_UNAUTHORIZED", "sign of the push does not verify; set this account's desk key to the desk's KEY");
  }
}

/** A value given twice proves nothing: the sender and we might mean different ones. */
function single(query: PushRequest["query"], name: string): string {
  const value = query[name] ?? "";
  if (Array.isArray(value)) throw new VerificationError("PUSH_UNAUTHORIZED", `query of the push repeats ${name}`);
  return value;
}
