import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSecretBox } from "../../src/keys/secret-box.ts";

const current = randomBytes(32);
const previous = randomBytes(32);
const box = createSecretBox({ current });
const shopToken = { accountId: "shop", field: "token" };

describe("the secret box", () => {
  test("opens to exactly what was sealed, whatever the text and the context", () => {
    const anyText = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(anyText, anyText, anyText, (plaintext, accountId, field) => {
        expect(box.open(box.seal(plaintext, { accountId, field }), { accountId, field })).toBe(plaintext);
      }),
    );
  });

  test("refuses every single changed byte", () => {
    const { ciphertext, keyId } = box.seal("a secret", shopToken);
    for (const index of ciphertext.keys()) {
      const changed = ciphertext.map((byte, at) => (at === index ? byte ^ 1 : byte));
      expect(() => box.open({ ciphertext: changed, keyId }, shopToken)).toThrowError(
        expect.objectContaining({ code: "CIPHERTEXT_INVALID" }),
      );
    }
    expect(box.open({ ciphertext, keyId }, shopToken)).toBe("a secret");
  });

  test("refuses every truncation", () => {
    const { ciphertext, keyId } = box.seal("a secret", shopToken);
    for (const length of ciphertext.keys()) {
      const cut = { ciphertext: ciphertext.slice(0, length), keyId };
      expect(() => box.open(cut, shopToken)).toThrowError(expect.objectContaining({ code: "CIPHERTEXT_INVALID" }));
    }
  });

  test.each([
    { accountId: "other", field: "token" },
    { accountId: "shop", field: "pushToken" },
    { accountId: "sho", field: "ptoken" },
    { accountId: 'shop","token', field: "" },
  ])("does not open under another context: %j", (context) => {
    const sealed = box.seal("a secret", shopToken);
    expect(() => box.open(sealed, context)).toThrowError(expect.objectContaining({ name: "ConfigError", code: "CIPHERTEXT_INVALID" }));
  });

  test("seals one value differently each time, under one key id that does not show the key", () => {
    const first = box.seal("a secret", shopToken);
    const second = box.seal("a secret", shopToken);
    expect(first.ciphertext).not.toEqual(second.ciphertext);
    expect(first.keyId).toBe(second.keyId);
    expect(first.keyId).toMatch(/^[0-9a-f]{8}$/);
    expect(current.toString("hex")).not.toContain(first.keyId);
  });

  test("during a rotation opens what the previous key sealed, and seals with the current one", () => {
    const old = createSecretBox({ current: previous }).seal("a secret", shopToken);
    const rotating = createSecretBox({ current, others: [previous] });
    expect(rotating.open(old, shopToken)).toBe("a secret");
    expect(box.open(rotating.seal("a secret", shopToken), shopToken)).toBe("a secret");
  });

  test("names the remedy when the key is not at hand", () => {
    const foreign = createSecretBox({ current: previous }).seal("a secret", shopToken);
    expect(() => box.open(foreign, shopToken)).toThrowError(
      expect.objectContaining({
        name: "ConfigError",
        code: "MASTER_KEY_WRONG",
        message: expect.stringContaining("WXDESK_MASTER_KEY_PREVIOUS"),
      }),
    );
  });
});
