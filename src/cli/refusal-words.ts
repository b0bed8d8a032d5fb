/** Translates remedies of the API for the command line: commands and options instead of routes and fields. */
const WORDS: readonly [said: RegExp, word: string][] = [
  [/^mend what is named in errors and send the request again$/, "correct this and run the command again:"],
  [
    /enable the account first: POST \/api\/v1\/accounts\/([\w-]+)\/enable/,
    "the account is disabled; enable it first: wxdesk account enable $1",
  ],
  [/repeat the key's id in \?confirm= to go on/, "repeat its id in --confirm to go on"],
  [/repeat its id in \?confirm= to go on/, "repeat its id in --confirm to go on"],
  [/set replies\.async to false/, "add --no-async"],
  [/create another key of role admin for all accounts first/, "create another one first: wxdesk key create --role admin --name <text>"],
  [/is not the id of an account; GET \/accounts lists all/, "is not the id of an account; wxdesk account list shows all"],
  [/^(there is no account ".*")$/, "$1; wxdesk account list shows all"],
  [/^(there is no conversation .*)$/, "$1; wxdesk conversation list shows all"],
  [/^(there is no message .*)$/, "$1; wxdesk message list <conversation> shows those of a conversation"],
  [/^(there is no API key .*)$/, "$1; wxdesk key list shows all"],
  [
    /^give the nextCursor of the page before as it came, or none for the first page$/,
    "this is no page of this list; leave out --cursor to begin:",
  ],
];

export function toCommandWords(detail: string): string {
  return WORDS.reduce((text, [said, word]) => text.replace(said, word), detail);
}
