import { isEmpty, PART_NAMES } from "./unsaid.ts";

/** Fields that say about a message what no contact is shown: its type, ids, times, its agent. */
const ENVELOPE_NAME = /^(?:type|\w+_type|status|id|msgid|\w+_id|\w*[a-z]Id|agent_\w+|customer_token|\w+_at|\w*time|\w*timestamp|date)$/;
const PLACE_LENGTH_MAX = 200;

/**
 * The first place with words that a contact may be meant to see: any text outside the envelope's fields, or a number as a content.
 * Null when there are none. Without recursion, because a push may nest deeper than the stack.
 */
export function findWords(message: unknown, place: string): string | null {
  const waiting = [{ name: "", value: message, place }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { name, value, place } = next;
    if (typeof value === "string" ? !isEmpty(value) : typeof value === "number" && PART_NAMES.includes(name)) return place;
    // No spread: a call takes fewer arguments than a list may have items.
    if (typeof value === "object" && value !== null) for (const field of fieldsOf(value, place)) waiting.push(field);
  }
  return null;
}

/** The last field first: what is added last is looked at next. */
function fieldsOf(value: object, place: string) {
  return Object.entries(value)
    .filter(([name]) => PART_NAMES.includes(name) || !ENVELOPE_NAME.test(name))
    .map(([name, value]) => ({ name, value, place: toPlace(place, name) }))
    .reverse();
}

/** A name that the sender may have taken from its words is not repeated. */
function toPlace(place: string, name: string): string {
  return place.length > PLACE_LENGTH_MAX ? place : `${place}.${/^\w{1,40}$/.test(name) ? name : "…"}`;
}
