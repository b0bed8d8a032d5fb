import { randomBytes } from "node:crypto";
import { json, type LoopbackAnswer } from "./loopback-answer.ts";

/** wechat.md §9; the texts are the platform's. */
const MESSAGES: Readonly<Record<number, string>> = {
  40001: "invalid credential, access_token is invalid or not latest",
  40002: "invalid grant_type",
  40003: "invalid openid",
  40004: "invalid media type",
  40005: "invalid file type",
  40007: "invalid media_id",
  40008: "invalid message type",
  40009: "invalid image size",
  40013: "invalid appid",
  40014: "invalid access_token",
  40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
  40056: "invalid agentid",
  40125: "invalid appsecret",
  40201: "invalid url",
  41001: "access_token missing",
  41005: "media data missing",
  42001: "access_token expired",
  43004: "require subscribe",
  44004: "empty content",
  45001: "media size out of limit",
  45002: "content size out of limit",
  45008: "article size out of limit",
  45015: "response out of time limit or subscription is canceled",
  45047: "out of response count limit",
  45072: "invalid command",
  47001: "data format error",
  48001: "api unauthorized",
  48002: "api forbidden",
  81013: "user & party & tag all invalid",
  301002: "not allow operate another agent with this accesstoken",
};

export interface ErrorCode {
  errcode: number;
  errmsg: string;
}

/** An errmsg may end in the id of the request, so it always does here: nobody should compare the text. */
export function toError(errcode: number): ErrorCode {
  return { errcode, errmsg: `${MESSAGES[errcode] ?? "unknown"} rid: ${randomBytes(12).toString("hex")}` };
}

/** HTTP status 200, as for a success. */
export function refuse(errcode: number): LoopbackAnswer {
  return json(toError(errcode));
}

export function accept(fields: Record<string, unknown> = {}): LoopbackAnswer {
  return json({ errcode: 0, errmsg: "ok", ...fields });
}
