import { z } from "zod";
import type { Content } from "../../domain/content.ts";
import type { PushedReply } from "../../domain/desk.ts";
import { DecodeError } from "../../domain/errors.ts";
import { contentSchemas } from "./customer-service-content.ts";
import { openIdSchema, readPushId } from "./push-envelope.ts";
import { read } from "./read.ts";
import { readReport } from "./report.ts";

/**
 * A WeChat customer-service object: `touser`, `msgtype` and the content under the name of its type. Without a type it may still be a
 * status, or a typing hint (`command`), which is nothing to hand on.
 * @throws DecodeError
 */
export function readCustomerService(fields: Record<string, unknown>): PushedReply[] {
  const openId = read(openIdSchema, fields.touser, "touser");
  const report = readReport(fields);
  if (fields.msgtype) {
    return [{ openId, pushId: readPushId(fields), content: readContent(fields), report }];
  }
  if (report !== null) return [{ openId, pushId: readPushId(fields), content: null, report }];
  if (fields.command) return [];
  throw new DecodeError("MESSAGE_INVALID", "push has neither msgtype nor command nor status");
}

function readContent(fields: Record<string, unknown>): Content {
  const msgtype = read(z.string(), fields.msgtype, "msgtype");
  const schema = contentSchemas.get(msgtype);
  if (schema === undefined) {
    throw new DecodeError("CONTENT_UNSUPPORTED", `msgtype is none of ${[...contentSchemas.keys()].join(", ")}`);
  }
  return read(schema, fields[msgtype], msgtype);
}
