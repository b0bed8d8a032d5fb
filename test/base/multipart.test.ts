import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { toMultipart } from "../../src/base/multipart.ts";

test.each(["picture.png", "报价单 2026.pdf", 'a"b.png', "a\r\nX-Injected: yes\r\n\r\n.png"])(
  "a file called %j arrives whole",
  async (fileName) => {
    const bytes = randomBytes(5_000);
    const { contentType, body } = toMultipart({ field: "media", fileName, contentType: "image/png", bytes });
    const form = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
    expect([...form.keys()]).toEqual(["media"]);
    const file = form.get("media");
    if (!(file instanceof File)) throw new Error("the field is no file");
    expect(Buffer.from(await file.arrayBuffer()).equals(bytes)).toBe(true);
    expect(file.type).toBe("image/png");
    expect(file.name).toBe(fileName);
    expect(body.toString("latin1", 0, 400)).not.toContain("\r\nX-Injected");
  },
);
