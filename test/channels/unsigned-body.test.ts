import { beforeEach, describe, expect, test, vi } from "vitest";
import type { CallbackRequest, Channel } from "../../src/domain/channel.ts";
import { decodeAesKey, encrypt } from "../../src/wechat/cipher.ts";
import { sign } from "../../src/wechat/signature.ts";
import { hostileSamples, readHostile, readSample, xmlSamples } from "../wechat/fixtures.ts";
import { ENCODING_AES_KEY, NOW, TOKEN, textMessage, toSeconds } from "./conformance.ts";
import { APP_ID, createAccount } from "./official-account/account.ts";
import { CORP_ID, createApp } from "./wecom/app.ts";

/** The documents that fast-xml-parser was given. It takes up to a millisecond per kilobyte, so it must see no unsigned one. */
const parsed: string[] = vi.hoisted(() => []);

vi.mock("fast-xml-parser", async (importOriginal) => {
  const original = await importOriginal<typeof import("fast-xml-parser")>();
  class XMLParser extends original.XMLParser {
    override parse(document: string) {
      parsed.push(document);
      return super.parse(document);
    }
  }
  const validate = (document: string) => {
    parsed.push(document);
    return original.XMLValidator.validate(document);
  };
  return { ...original, XMLParser, XMLValidator: { validate } };
});

const BYTES_MAX = 256 * 1024;
const ENCRYPT = "<Encrypt>abcd</Encrypt>";

/** Each is repeated up to the largest body, or up to what was once the largest to be parsed. */
const fillings = [
  ...[" ", "\n", "\r", "\r\n", "\0", "a\0", "\uFFFE", "第", "😀", "😀\0", "]", ">", "<", "&", "&#", "&amp;", "&#65;", "'", '"', "x"],
  ...["<a>", "</a>", "<a></a>", "<a/>", "<a >x</a >", "<a b='c'>", "<a b='", "<a ", "<n:a/>", "<é/>", "<!---->", "<!--", "<![CDATA[]]>"],
  ...[
    "<![CDATA[",
    "]]>",
    "<?a?>",
    "<?",
    "<!ENTITY a '&b;'>",
    "<!DOCTYPE a [",
    "<Encrypt>",
    "<Encrypt",
    "</Encrypt>",
    ENCRYPT,
    "Abcd",
    `${"A".repeat(76)}\n`,
  ],
];
const frames: [string, (filling: string) => string][] = [
  ["alone", (filling) => filling],
  ["before Encrypt", (filling) => `<xml>${filling}${ENCRYPT}</xml>`],
  ["behind Encrypt", (filling) => `<xml>${ENCRYPT}${filling}</xml>`],
  ["in Encrypt", (filling) => `<xml><Encrypt>${filling}</Encrypt></xml>`],
  ["in a CDATA section", (filling) => `<xml><Content><![CDATA[${filling}]]></Content>${ENCRYPT}</xml>`],
  ["in a start tag", (filling) => `<xml ${filling}>${ENCRYPT}</xml>`],
  ["in a name", (filling) => `<xml><a${filling}>x</a${filling}>${ENCRYPT}</xml>`],
  ["in a declaration", (filling) => `<?xml ${filling}?><xml>${ENCRYPT}</xml>`],
  ["in a DOCTYPE", (filling) => `<!DOCTYPE xml [${filling}]><xml>${ENCRYPT}</xml>`],
];

function* bodies(): Generator<Buffer> {
  for (const bytes of [BYTES_MAX, BYTES_MAX / 8]) {
    for (const filling of fillings) {
      const repeated = filling.repeat(Math.floor((bytes - 100) / Buffer.byteLength(filling) / 2));
      for (const [, frame] of frames) yield Buffer.from(frame(repeated));
    }
    for (const byte of [0xff, 0xe4]) yield Buffer.alloc(bytes, byte);
  }
  yield* hostileSamples.map(readHostile);
  yield* xmlSamples.map(({ file }) => readSample(file));
}

const timestamp = toSeconds(NOW);
const forged = { timestamp, nonce: "77", signature: "0".repeat(40), msg_signature: "0".repeat(40) };
const entrances: [string, Pick<Channel, "open">, CallbackRequest["query"]][] = [
  ["a plain callback of a plain account", createAccount({ encryption: "plain" }), forged],
  ["a plain callback of a safe account", createAccount({ encryption: "safe" }), forged],
  ["an encrypted callback of a compatible account", createAccount({ encryption: "compatible" }), { ...forged, encrypt_type: "aes" }],
  ["an encrypted callback of a safe account", createAccount({ encryption: "safe" }), { ...forged, encrypt_type: "aes" }],
  ["a callback of WeCom", createApp(), forged],
];

beforeEach(() => {
  parsed.length = 0;
});

function refusalOf(open: () => unknown): unknown {
  try {
    open();
    return "opened";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe.each(entrances)("%s", (_name, channel, query) => {
  test("whose signature is wrong is refused without a parser, for any body", () => {
    const codes = new Set(Array.from(bodies(), (body) => refusalOf(() => channel.open({ query, body }))));
    expect(parsed).toEqual([]);
    expect([...codes]).toContain("SIGNATURE_INVALID");
    expect(["SIGNATURE_INVALID", "XML_INVALID", "CIPHERTEXT_INVALID"]).toEqual(expect.arrayContaining([...codes]));
  });
});

describe("a genuine message in a form that only the parser reads", () => {
  const message = textMessage("hello").replace("</xml>", "<?relayed?></xml>");

  test("is read by it once its signature is known, in a plain callback", () => {
    const query = { timestamp, nonce: "77", signature: sign([TOKEN, timestamp, "77"]) };
    const opened = createAccount({ encryption: "plain" }).open({ query, body: Buffer.from(message) });
    expect(opened).toMatchObject({ kind: "message", message: { content: { text: "hello" } } });
    expect(new Set(parsed)).toEqual(new Set([message]));
  });

  test.each([
    ["an Official Account", createAccount(), APP_ID, { encrypt_type: "aes" }],
    ["WeCom", createApp(), CORP_ID, {}],
  ])("is read by it once its signature is known, in an encrypted callback of %s", (_name, channel, receiverId, type) => {
    const ciphertext = encrypt(message, decodeAesKey(ENCODING_AES_KEY), receiverId);
    const query = { ...type, timestamp, nonce: "77", msg_signature: sign([TOKEN, timestamp, "77", ciphertext]) };
    const opened = channel.open({ query, body: Buffer.from(`<xml><Encrypt>${ciphertext}</Encrypt></xml>`) });
    expect(opened).toMatchObject({ kind: "message", message: { content: { text: "hello" } } });
    expect(new Set(parsed)).toEqual(new Set([message]));
  });
});
