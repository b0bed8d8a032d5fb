import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CallbackRequest } from "../../../src/domain/channel.ts";
import { decodeAesKey, encrypt } from "../../../src/wechat/cipher.ts";
import { sign } from "../../../src/wechat/signature.ts";
import { CREDENTIAL, ENCODING_AES_KEY, NOW, refusal, TOKEN, textMessage, toSeconds } from "../conformance.ts";
import { APP_ID, createAccount } from "./account.ts";

interface Vector {
  id: string;
  timestamp: string;
  nonce: string;
  signature: string;
  query: string;
  body: string;
}

const vectors: Vector[] = JSON.parse(readFileSync(new URL("../../fixtures/wechat/crypto-vectors.json", import.meta.url), "utf8"));

function vector(id: string): Vector {
  const found = vectors.find((each) => each.id === id);
  if (!found) throw new Error(`no vector ${id}`);
  return found;
}

function plain(xml: string, changes: Record<string, string | string[] | undefined> = {}): CallbackRequest {
  const timestamp = toSeconds(NOW);
  const query = { signature: sign([TOKEN, timestamp, "77"]), timestamp, nonce: "77", openid: "someone", ...changes };
  return { query, body: Buffer.from(xml) };
}

function encrypted(inner: string, outerFields = ""): CallbackRequest {
  const ciphertext = encrypt(inner, decodeAesKey(ENCODING_AES_KEY), APP_ID);
  const msgSignature = sign([TOKEN, toSeconds(NOW), "77", ciphertext]);
  return plain(`<xml>${outerFields}<Encrypt>${ciphertext}</Encrypt></xml>`, { encrypt_type: "aes", msg_signature: msgSignature });
}

describe("callbacks as WeChat sent them in 2022", () => {
  const { query, body } = vector("oa-live-secure-text");
  const request = { query: Object.fromEntries(new URLSearchParams(query)), body: Buffer.from(body) };

  test("the secure text is opened from its bytes and its query", () => {
    expect(createAccount({ timestampToleranceSeconds: 0 }).open(request)).toEqual({
      kind: "message",
      message: {
        openId: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4",
        dedupeKey: expect.any(String),
        vendorMessageId: "23904806341841418",
        sentAt: new Date(1669731471 * 1_000),
        content: { type: "text", text: "文本tdsa[Lol]§" },
      },
      replyTo: { openId: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4", accountName: "gh_b4f0e22ae50e", credential: CREDENTIAL },
    });
  });

  test("the secure text is stale today", () => {
    expect(() => createAccount().open(request)).toThrow(refusal("TIMESTAMP_STALE"));
  });

  test.each(["oa-live-plain-subscribe-scan", "oa-live-plain-voice", "oa-live-plain-location-select"])(
    "the signature of %s is accepted",
    (id) => {
      const { timestamp, nonce, signature } = vector(id);
      const account = createAccount({ encryption: "plain", timestampToleranceSeconds: 0 });
      expect(account.open({ ...plain(textMessage("hello"), { timestamp, nonce, signature }) })).toMatchObject({ kind: "message" });
    },
  );
});

describe("the modes", () => {
  test("a plain account takes plain callbacks, with encrypt_type absent or raw", () => {
    const account = createAccount({ encryption: "plain" });
    for (const type of [undefined, "raw"]) {
      const opened = account.open(plain(textMessage("hello"), { encrypt_type: type }));
      expect(opened).toMatchObject({ message: { content: { text: "hello" } }, replyTo: { credential: null } });
    }
  });

  test("a plain body may begin with a byte order mark", () => {
    expect(createAccount({ encryption: "plain" }).open(plain(`\ufeff${textMessage("hello")}`))).toMatchObject({ kind: "message" });
  });

  test("a safe account refuses a plain body, even a genuine one", () => {
    expect(() => createAccount().open(plain(textMessage("hello")))).toThrow(refusal("ENCRYPTION_REQUIRED"));
  });

  test("every account takes an encrypted callback, because the console switches without notice", () => {
    for (const encryption of ["plain", "compatible", "safe"] as const) {
      expect(createAccount({ encryption }).open(encrypted(textMessage("hello")))).toMatchObject({ replyTo: { credential: CREDENTIAL } });
    }
  });

  test("of a compatible body only the encrypted part is believed", () => {
    const forged = textMessage("forged").slice("<xml>".length, -"</xml>".length);
    const opened = createAccount({ encryption: "compatible" }).open(encrypted(textMessage("genuine"), forged));
    expect(opened).toMatchObject({ message: { content: { text: "genuine" } } });
  });

  test("a compatible account takes a plain callback whose signature is right", () => {
    expect(createAccount({ encryption: "compatible" }).open(plain(textMessage("hello")))).toMatchObject({ replyTo: { credential: null } });
  });

  test("an encrypted body whose encrypt_type was taken away is not read by its unsigned fields", () => {
    const forged = textMessage("forged").slice("<xml>".length, -"</xml>".length);
    const { query, body } = encrypted(textMessage("genuine"), forged);
    const account = createAccount({ encryption: "compatible" });
    expect(() => account.open({ query: { ...query, encrypt_type: undefined }, body })).toThrow(refusal("ENCRYPTION_REQUIRED"));
  });

  test("the plain signature never stands in for msg_signature", () => {
    const { query, body } = encrypted(textMessage("hello"));
    const request = { query: { ...query, msg_signature: query.signature }, body };
    expect(() => createAccount({ encryption: "compatible" }).open(request)).toThrow(refusal("SIGNATURE_INVALID"));
  });

  test("an encrypt_type that is unknown, empty or repeated is refused", () => {
    for (const type of ["AES", "des", "", ["aes", "aes"], ["raw"]]) {
      const request = plain(textMessage("hello"), { encrypt_type: type });
      expect(() => createAccount({ encryption: "plain" }).open(request)).toThrow(refusal("SIGNATURE_INVALID"));
    }
  });
});

describe("an account without an encodingAesKey", () => {
  test("reads plain callbacks when its mode is plain", () => {
    const account = createAccount({ encryption: "plain", encodingAesKey: undefined });
    expect(account.open(plain(textMessage("hello")))).toMatchObject({ kind: "message" });
    expect(() => account.open(encrypted(textMessage("hello")))).toThrow(expect.objectContaining({ code: "CIPHERTEXT_INVALID" }));
  });

  test("is not made when its mode is another", () => {
    for (const encryption of ["safe", "compatible"] as const) {
      const make = () => createAccount({ encryption, encodingAesKey: undefined });
      expect(make).toThrow(expect.objectContaining({ name: "ConfigError", code: "ACCOUNT_SECRET_MISSING" }));
    }
  });
});

describe("a plain callback", () => {
  const account = createAccount({ encryption: "plain" });

  test("needs each signed parameter, once and not empty", () => {
    for (const parameter of ["signature", "timestamp", "nonce"]) {
      const value = String(plain("").query[parameter]);
      for (const bad of [undefined, "", [value], [value, value], `${value}0`]) {
        expect(() => account.open(plain(textMessage("hello"), { [parameter]: bad }))).toThrow(refusal("SIGNATURE_INVALID"));
      }
    }
  });

  test("with a wrong signature is refused before its body is looked at", () => {
    expect(() => account.open(plain("not XML", { signature: "0".repeat(40) }))).toThrow(refusal("SIGNATURE_INVALID"));
  });

  test("that is stale is refused", () => {
    const timestamp = String(Number(toSeconds(NOW)) - 601);
    const request = plain(textMessage("hello"), { timestamp, signature: sign([TOKEN, timestamp, "77"]) });
    expect(() => account.open(request)).toThrow(refusal("TIMESTAMP_STALE"));
  });

  test("whose signed timestamp is no number is refused as stale", () => {
    const request = plain(textMessage("hello"), { timestamp: "today", signature: sign([TOKEN, "today", "77"]) });
    expect(() => account.open(request)).toThrow(refusal("TIMESTAMP_STALE"));
  });

  test("that is not XML, or has a DOCTYPE, is a decode error", () => {
    for (const body of ["", "not XML", `<!DOCTYPE xml [<!ENTITY e "x">]>${textMessage("&e;")}`]) {
      expect(() => account.open(plain(body))).toThrow(expect.objectContaining({ name: "DecodeError", code: "XML_INVALID" }));
    }
  });
});
