import { z } from "zod";
import { DONE, type Outcome } from "../../domain/outcome.ts";
import { judge } from "../../platform/errcodes.ts";
import { ERRCODES } from "./errcodes.ts";

export function toOutcome(errcode: string, errmsg: string): Outcome {
  return judge(ERRCODES, errcode, errmsg);
}

export function isTokenRefused(errcode: string): boolean {
  return ERRCODES.get(errcode)?.action === "refresh";
}

const list = z.string().catch("");
const leftOutSchema = z.object({ invaliduser: list, unlicenseduser: list });

/** With errcode 0 WeCom may still have left the receiver out, and says so in lists like "li|zhang", in lower case. */
export function toDeliveryOutcome(userId: string, fields: Record<string, unknown>): Outcome {
  const { invaliduser, unlicenseduser } = leftOutSchema.parse(fields);
  if (names(invaliduser, userId)) {
    const detail = "invaliduser: WeCom knows no such member, or the app may not see them; check the userid and the app's visible range";
    return { kind: "rejected", code: "invaliduser", detail };
  }
  if (names(unlicenseduser, userId)) {
    const detail = "unlicenseduser: the member has no interface licence; assign one in WeCom's console";
    return { kind: "rejected", code: "unlicenseduser", detail };
  }
  return DONE;
}

function names(list: string, userId: string): boolean {
  return list.toLowerCase().split("|").includes(userId.toLowerCase());
}
