import { isRecord } from "./read.ts";

/**
 * A form with nested brackets as the object it stands for: `text[content]=hi` is `{ text: { content: "hi" } }`. Names with three
 * parts are articles, `news[articles][][title]`; rest-client 1.x leaves the empty brackets out.
 */
export function parseForm(body: string): Record<string, unknown> {
  const form = emptyRecord();
  for (const [key, value] of new URLSearchParams(body)) {
    const [name = "", field, ...rest] = key.replaceAll("]", "").split("[");
    const itemField = rest.at(-1);
    if (field === undefined) form[name] = value;
    else if (itemField === undefined) groupAt(form, name)[field] = value;
    else addToItems(itemsAt(groupAt(form, name), field), itemField, value);
  }
  return form;
}

/** Without a prototype, so that a field called `__proto__` is a field. */
function emptyRecord(): Record<string, unknown> {
  return Object.create(null);
}

function groupAt(form: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = form[name];
  const group = isRecord(known) ? known : emptyRecord();
  form[name] = group;
  return group;
}

function itemsAt(group: Record<string, unknown>, field: string): unknown[] {
  const known = group[field];
  const items: unknown[] = Array.isArray(known) ? known : [];
  group[field] = items;
  return items;
}

/** A field that the last article already has starts the next one. */
function addToItems(items: unknown[], field: string, value: string): void {
  const last = items.at(-1);
  if (isRecord(last) && !Object.hasOwn(last, field)) {
    last[field] = value;
    return;
  }
  const item = emptyRecord();
  item[field] = value;
  items.push(item);
}
