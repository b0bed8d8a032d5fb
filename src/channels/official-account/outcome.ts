import type { Outcome } from "../../domain/outcome.ts";
import { judge } from "../../platform/errcodes.ts";
import { ERRCODES } from "./errcodes.ts";

export function toOutcome(errcode: string, errmsg: string): Outcome {
  return judge(ERRCODES, errcode, errmsg);
}

export function isTokenRefused(errcode: string): boolean {
  return ERRCODES.get(errcode)?.action === "refresh";
}
