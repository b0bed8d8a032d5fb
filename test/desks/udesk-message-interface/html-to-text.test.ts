import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { htmlToText } from "../../../src/desks/udesk-message-interface/html-to-text.ts";

describe("HTML becomes what a person reads:", () => {
  for (const [html, text] of [
    ["<p>Hello</p><p>world</p>", "Hello\nworld"],
    ["<p>a</p>\n  <p>b</p>", "a\nb"],
    ["a<br>b<br/>c", "a\nb\nc"],
    ["<p>a</p><p><br></p><p>b</p>", "a\n\nb"],
    ["<ul><li>one</li><li>two</li></ul>", "one\ntwo"],
    ['see <a href="https://x.cn/?a=1&amp;b=2">the page</a>.', "see the page (https://x.cn/?a=1&b=2)."],
    ["<a class=x href='https://x.cn'>https://x.cn</a>", "https://x.cn"],
    ["<a href=https://x.cn></a>", "https://x.cn"],
    ['<a href="https://x.cn"><b>bold</b> link', "bold link (https://x.cn)"],
    ['<a href="javascript:alert(1)">press</a>', "press"],
    ['<img src="https://x.cn/1.png">', "https://x.cn/1.png"],
    ['<img src="data:image/png;base64,AAAA">after', "after"],
    ["&lt;b&gt; &amp;lt; &quot;&#39;&#x4f60;&nbsp;!", "<b> &lt; \"'你 !"],
    ["&#0;&#xd800;&#x110000;&copy2;&bogus;", "\uFFFD\uFFFD\uFFFD&copy2;&bogus;"],
    ["<style>p{}</style><script>var a = '<p>';</script>shown", "shown"],
    ["<!-- note -->shown", "shown"],
    ["<P>UPPER</P>", "UPPER"],
    ["<p>  </p>", ""],
  ] as const) {
    test(html, () => {
      expect(htmlToText(html)).toBe(text);
    });
  }
});

describe("a text without mark-up stays as it is:", () => {
  for (const text of ["a < b > c", "1<2", "<3", "AT&T", " two\n\nlines ", "", "x <- y"]) {
    test(JSON.stringify(text), () => {
      expect(htmlToText(text)).toBe(text);
    });
  }

  test("any without < and &", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const plain = text.replace(/[<&]/g, "");
        expect(htmlToText(plain)).toBe(plain);
      }),
    );
  });
});

describe("hostile HTML of 256 KiB takes no longer than its length allows:", () => {
  for (const unit of ["<", "<a ", "<p>x", "<a href=x>", "\n", "<p>\n", "&", " href", '<a href="']) {
    test(JSON.stringify(unit), () => {
      const startedAt = performance.now();
      htmlToText(`<p>${unit.repeat(262_144 / unit.length)}x`);
      expect(performance.now() - startedAt).toBeLessThan(1_000);
    });
  }
});
