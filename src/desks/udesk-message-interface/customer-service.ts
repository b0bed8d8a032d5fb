import { DecodeError } from "../../base/errors.ts";
import type { Content } from "../../domain/content.ts";
import type { PushedReply } from "../../domain/desk.ts";
import { contentSchemas } from "./customer-service-content.ts";
import { openIdSchema, readPushId, toTypeName } from "./push-envelope.ts";
import { isReceipt, readPushReport } from "./push-report.ts";
import { read } from "./read.ts";
import { PART_NAMES, refuseBeside, refuseUnsaid } from "./unsaid.ts";

/**
 * A WeChat customer-service object: `touser`, `msgtype` and the content under the name of its type. Without a type it may still be a
 * status, or a typing hint (`command`), which is nothing to hand on.
 * @throws DecodeError
 */
export function readCustomerService(fields: Record<string, unknown>): PushedReply[] {
  const openId = read(openIdSchema, fields.touser, "touser");
  const report = readPushReport(fields);
  if (fields.msgtype) {
    return [{ openId, pushId: readPushId(fields), content: readContent(fields), report }];
  }
  refuseUnsaid(fields, CONTENT_NAMES, "but no msgtype; name its type in msgtype");
  if (report !== null) return [{ openId, pushId: readPushId(fields), content: null, report }];
  if (fields.command || isReceipt(fields)) return [];
  throw new DecodeError("MESSAGE_INVALID", "push has neither msgtype nor command nor status");
}

/** Content fields that a push may have besides its envelope: objects by type, and the parts of such an object. */
const OBJECT_NAMES = [...contentSchemas.keys(), "messages"];
const CONTENT_NAMES = [...OBJECT_NAMES, ...PART_NAMES];

function readContent(fields: Record<string, unknown>): Content {
  const msgtype = toTypeName(fields.msgtype);
  const schema = contentSchemas.get(msgtype);
  if (schema === undefined) {
    throw new DecodeError("CONTENT_UNSUPPORTED", `msgtype is none of ${[...contentSchemas.keys()].join(", ")}`);
  }
  refuseUnsaid(
    fields,
    OBJECT_NAMES.filter((name) => name !== msgtype),
    `beside its msgtype ${msgtype}; send a push of its own for each`,
  );
  const content = read(schema, fields[msgtype], msgtype);
  refuseBeside(fields, fields[msgtype], `beside its ${msgtype}; put it there, or send a push of its own`);
  return content;
}
