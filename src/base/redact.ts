/**
 * Takes out of a text what gives access when it is read: query strings, push tokens in addresses, and values that stand behind a name
 * such as `access_token` or `sign`. For texts of libraries, which quote what they were given.
 */
export function withoutSecrets(text: string): string {
  return toBounded(text).replace(QUERY, "?…").replace(PUSH_TOKEN, "$1…").replace(USER_INFO, "$1…@").replace(NAMED_VALUE, "$1…");
}

/**
 * The same for the words of a platform or a desk, which may echo a request in any form: there long runs of letters and digits go too.
 * What helps an operator stays: numbers, addresses of machines, request ids (`rid: …`), contacts' ids.
 */
export function toQuotable(text: string): string {
  return withoutSecrets(text).replace(OPAQUE, "…");
}

/** Whoever keeps such a text cuts it shorter. What the cut leaves of a word is left out: half a key is still half a key. */
const LENGTH_MAX = 4_000;

function toBounded(text: string): string {
  return text.length <= LENGTH_MAX ? text : text.slice(0, LENGTH_MAX).replace(/\S*$/, "…");
}

// Without "?" and "=" in its first part, so that a text full of question marks is read once.
const QUERY = /\?[^\s"'`<>?=]*=[^\s"'`<>]*/g;
const PUSH_TOKEN = /(\/desk\/[^/\s"']+\/)[^\s"'?]+/g;
const USER_INFO = /(:\/\/)[^\s/@"'`<>]+@/g;
/** JSON, a form, XML or plain words. */
const NAMED_VALUE =
  /((?:sign|signature|nonce|echostr|token|secret|(?:aes|api|desk)?_?key|password|authorization)\\?["']?\s*[=:>]\s*\\?["']?)(?:Bearer\s+)?[^\s"'\\&<>,;)}]+/gi;
/** Keys are 32 hexadecimal or 43 base64 characters, access tokens hundreds; the longest thing worth keeping, an openid, has 28. */
const OPAQUE = /[\w+/%-]{30,}={0,2}/g;
