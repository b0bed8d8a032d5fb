/** Schemes that a phone with WeChat can open, or hand to the app that opens them. */
const OPENED = /^(?:https?|ftp|mailto|tel|sms|weixin|wxwork|alipays?|mqq\w*|tbopen|openapp\.\w+):/i;

/** The address as a contact can follow it; empty for `javascript:`, `data:`, a file of the desk, a path without its host. */
export function toAddress(given: string): string {
  // As browsers read it (url.spec.whatwg.org): tabs and line breaks are left out, a blank would end the link in a chat.
  const address = given
    .replace(/[\t\n\r]/g, "")
    .trim()
    .replaceAll(" ", "%20");
  if (address.startsWith("//")) return `https:${address}`;
  return OPENED.test(address) ? address : "";
}
