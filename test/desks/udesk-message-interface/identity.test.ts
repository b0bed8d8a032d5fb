import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toIdentity } from "../../../src/desks/udesk-message-interface/identity.ts";
import { makeAccount, makeConversation } from "./support.ts";

const empty = makeAccount({ identity: "empty" });
const synthetic = makeAccount({ identity: "synthetic" });

test("a known phone is stripped to its digits, a known e-mail is passed on", () => {
  const contact = makeConversation({ number: "+86 135-7422 1234", email: " a.b-c_d@example.com " });
  expect(toIdentity(empty, contact)).toEqual({ number: "8613574221234", email: "a.b-c_d@example.com" });
});

test("what is not known stays empty", () => {
  expect(toIdentity(empty, makeConversation())).toEqual({ number: "", email: "" });
  expect(toIdentity(empty, makeConversation({ number: "none", email: "" }))).toEqual({ number: "", email: "" });
});

describe("an e-mail that a URL would have to escape counts as unknown:", () => {
  for (const email of [
    "a+b@example.com",
    "a b@example.com",
    "名@example.com",
    "a&b=c@example.com",
    "a@b@c",
    "a%41@example.com",
    "nobody",
  ]) {
    test(email, () => {
      expect(toIdentity(empty, makeConversation({ email })).email).toBe("");
    });
  }
});

describe("a synthetic identity", () => {
  test("is 18 digits and a reserved address, the same every time", () => {
    const identity = toIdentity(synthetic, makeConversation());
    expect(identity.number).toMatch(/^\d{18}$/);
    expect(identity.email).toMatch(/^[0-9a-f]{32}@wechat\.invalid$/);
    expect(toIdentity(synthetic, makeConversation())).toEqual(identity);
  });

  test("differs between contacts and between accounts", () => {
    const one = toIdentity(synthetic, makeConversation());
    const otherContact = toIdentity(synthetic, { ...makeConversation(), openId: "oABD" });
    const otherAccount = toIdentity({ ...synthetic, id: "shop2" }, makeConversation());
    expect(new Set([one, otherContact, otherAccount].flatMap(({ number, email }) => [number, email])).size).toBe(6);
  });

  test("gives way to what is known, part by part", () => {
    const identity = toIdentity(synthetic, makeConversation({ number: "13574221234" }));
    expect(identity.number).toBe("13574221234");
    expect(identity.email).toMatch(/@wechat\.invalid$/);
  });
});

test("whatever a contact is called, the values pass through a URL unchanged", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), fc.emailAddress(), (openId, number, email) => {
      const { number: sentNumber, email: sentEmail } = toIdentity(synthetic, { ...makeConversation({ number, email }), openId });
      const query = new URL(`http://desk.test/?number=${sentNumber}&email=${sentEmail}`).searchParams;
      expect([query.get("number"), query.get("email")]).toEqual([sentNumber, sentEmail]);
    }),
  );
});
