import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { htmlToText } from "../../../src/desks/udesk-message-interface/html-to-text.ts";

describe("HTML becomes what a person reads:", () => {
  for (const [html, text] of [
    ["<p>Hello</p><p>world</p>", "Hello\nworld"],
    ["<p>a</p>\n  <p>b</p>", "a\nb"],
    ["a<br>b<br/>c", "a\nb\nc"],
    ["<p>a</p><p><br></p><p>b</p>", "a\n\nb"],
    ["<ul><li>one</li><li>two</li></ul>", "• one\n• two"],
    ['see <a href="https://x.cn/?a=1&amp;b=2">the page</a>.', "see the page (https://x.cn/?a=1&b=2)."],
    ["<a class=x href='https://x.cn'>https://x.cn</a>", "https://x.cn"],
    ["<a href=https://x.cn></a>", "https://x.cn"],
    ['<a href="https://x.cn"><b>bold</b> link', "bold link (https://x.cn)"],
    ['<a href="javascript:alert(1)">press</a>', "press"],
    ['<img src="https://x.cn/1.png">', "https://x.cn/1.png"],
    ['<img src="data:image/png;base64,AAAA">after', "[图片]after"],
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

describe("named characters are read, also where only a browser knows them:", () => {
  for (const [html, text] of [
    ["<p>&ldquo;Hi&rdquo; &mdash; wait&hellip; &yen;5 &copy; &rarr;</p>", "“Hi” — wait… ¥5 © →"],
    ["<p>&amp;ldquo; &LT;b&GT; &nosuch; &copy=2</p>", "&ldquo; <b> &nosuch; &copy=2"],
    ["<p>a&nbsp;b</p>", "a b"],
  ] as const) {
    test(html, () => expect(htmlToText(html)).toBe(text));
  }
});

describe("cells and rows of a table stay apart:", () => {
  for (const [html, text] of [
    ["<table><tr><td>Tea</td><td>12</td></tr><tr><td>Milk</td><td>3</td></tr></table>", "Tea  12\nMilk  3"],
    ["<table>\n<tr>\n<th>Item</th>\n<th>Price</th>\n</tr>\n<tr><td>Tea<td>12</table>after", "Item  Price\nTea  12\nafter"],
    ["<table><tr><td><p>Tea</p></td><td><p>green</p><p>black</p></td></tr></table>", "Tea  green\nblack"],
    ["before<table><tr><td></td><td>12</td></tr></table>", "before\n12"],
    ["<dl><dt>Tea</dt><dd>hot</dd></dl>a<hr>b", "Tea\nhot\na\nb"],
  ] as const) {
    test(html, () => expect(htmlToText(html)).toBe(text));
  }
});

describe("lists keep their bullets and numbers:", () => {
  for (const [html, text] of [
    ["Buy:<ul><li>tea</li><li>milk</li></ul>now", "Buy:\n• tea\n• milk\nnow"],
    ["<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"],
    ["<ol start=3><li>three<li value=7>seven<li>eight</ol>", "3. three\n7. seven\n8. eight"],
    ["<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>", "1. a\n  • b\n  • c\n2. d"],
    ["<ul>\n  <li>\n <p>one</p>\n</li>\n  <li></li><li>two</li>\n</ul>", "• one\n• two"],
  ] as const) {
    test(html, () => expect(htmlToText(html)).toBe(text));
  }
});

describe("what an office program leaves behind is not seen:", () => {
  for (const [html, text] of [
    ["<!-- <b>secret</b> -->shown", "shown"],
    ["<p>a<!--[if gte mso 9]><xml><o:p>secret</o:p></xml><![endif]-->b</p>", "ab"],
    ["<p><![if !supportLists]>1.<![endif]>one</p>", "1.one"],
    ["<?xml:namespace prefix = o /><p>a<o:p></o:p></p>", "a"],
    ["<!DOCTYPE html><html><head><title>secret</title><meta x><style>p{}</style></head><body>shown</body></html>", "shown"],
    ["<head><meta charset=utf-8><p>shown", "shown"],
  ] as const) {
    test(html, () => expect(htmlToText(html)).toBe(text));
  }
});

describe("an address is kept where a contact can follow it:", () => {
  for (const [html, text] of [
    ['<a href="https://x.cn/?q=1>2">go</a>', "go (https://x.cn/?q=1>2)"],
    ['<a href="weixin://dl/business/?t=1">go</a>', "go (weixin://dl/business/?t=1)"],
    ['<a href="//x.cn/a">go</a>', "go (https://x.cn/a)"],
    ['<a href=" java\nscript:alert(1)">go</a><a href="/path">on</a>', "goon"],
    ['<a href="https://x.cn/a b">go</a>', "go (https://x.cn/a%20b)"],
    ['<a href="https://x.cn"><div>card</div></a><p>b</p>', "card (https://x.cn)\nb"],
    ['see<img src="//cdn.x.cn/1.png">here', "see https://cdn.x.cn/1.png here"],
    ['<img src="data:image/gif;base64,R0" data-src="https://x.cn/2.png">', "https://x.cn/2.png"],
    ['<img data-src="https://x.cn/2.png">', "https://x.cn/2.png"],
    ['<img src="cid:1" alt="logo"><img class=x>', "[图片 logo]"],
    ['<video src="https://x.cn/1.mp4"></video>', "https://x.cn/1.mp4"],
    ['<video controls><source src="https://x.cn/1.webm"><source src="https://x.cn/1.mp4"></video>b', "https://x.cn/1.webm b"],
    ['<audio src="blob:https://x.cn/1"></audio>', "[音频]"],
    ['<iframe class="ql-video" src="https://v.qq.com/1"></iframe>', "https://v.qq.com/1"],
  ] as const) {
    test(html, () => expect(htmlToText(html)).toBe(text));
  }
});

test("a tag that never ends takes no words with it", () => {
  expect(htmlToText('<p>one</p><a href="https://x.cn>two</a><p>three</p>')).toBe("one\ntwo\nthree");
  expect(htmlToText("<b>one</b> two <b three")).toBe("one two <b three");
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

describe("a megabyte of hostile HTML, however deep, becomes a text that is no longer than its length allows:", () => {
  const size = 1024 * 1024;
  for (const unit of [
    "<",
    "<a ",
    "<p>x",
    "<a href=x>",
    "\n",
    "<p>\n",
    "&",
    " href",
    '<a href="',
    '<a href="x>',
    "<div>",
    "</div>",
    "<ul><li>x",
    "<ol><li>",
    "<table><tr><td>x",
    "<b>x</i>",
    "<!--",
    "<![",
    "</",
    "<svg>",
  ]) {
    test(JSON.stringify(unit), () => {
      const html = `<p>${unit.repeat(size / unit.length)}x</p>`;
      expect(htmlToText(html).length).toBeLessThan(3 * size);
    });
  }
});
