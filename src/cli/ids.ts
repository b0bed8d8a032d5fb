import { InvalidArgumentError } from "commander";

const KINDS = {
  conversation: { form: /^cv_/, shape: "cv_…", list: "wxdesk conversation list shows them" },
  message: { form: /^ms_/, shape: "ms_…", list: "wxdesk message list <conversation> shows them" },
  key: { form: /^key_/, shape: "key_…", list: "wxdesk key list shows them" },
} as const;

type IdKind = keyof typeof KINDS;

/**
 * Reads the id of a conversation, a message or a key, whose beginning says which of them it is.
 * @throws InvalidArgumentError, which commander turns into a usage error that names argument and value
 */
export function parseId(kind: IdKind): (text: string) => string {
  return (text) => {
    const { form, shape, list } = KINDS[kind];
    if (form.test(text)) return text;
    throw new InvalidArgumentError(`It takes the id of a ${kind}, ${shape}; ${toHint(kind, text) ?? list}.`);
  };
}

function toHint(wanted: IdKind, text: string): string | null {
  if (wanted === "key") return null;
  if (KINDS.conversation.form.test(text)) return `this is a conversation's: wxdesk message list ${text} shows its messages`;
  if (KINDS.message.form.test(text)) return `this is a message's: wxdesk message show ${text} names its conversation`;
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(text)) return `for those of an account: wxdesk conversation list --account ${text}`;
  return null;
}
