/** Values that must not be seen, in whatever form somebody might have written them. */
export interface Marks {
  /** Returns the value. What is looked for is its beginning, so that a text that was cut is found as well. */
  add<Value extends string>(name: string, value: Value): Value;
  /** The names of the marks that the text holds. */
  findIn(text: string): string[];
}

const NEEDLE_LENGTH = 12;
/** Shorter ones would be found where nobody wrote them. */
const NEEDLE_LENGTH_MIN = 8;

export function createMarks(): Marks {
  const needles = new Map<string, Set<string>>();
  return {
    add: (name, value) => {
      const forms = toForms(value);
      for (const form of forms) if (form.length < NEEDLE_LENGTH_MIN) throw new Error(`the mark "${name}" is too short to be looked for`);
      needles.set(name, new Set([...(needles.get(name) ?? []), ...forms]));
      return value;
    },
    findIn: (text) => {
      const searched = text.toLowerCase();
      return [...needles].filter(([, forms]) => [...forms].some((form) => searched.includes(form))).map(([name]) => name);
    },
  };
}

/** As it is, in an address, in JSON, in hexadecimal and in base64, where it may begin at any of three places. All in lower case. */
function toForms(value: string): string[] {
  const start = value.slice(0, NEEDLE_LENGTH);
  const bytes = Buffer.from(start);
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url");
    // The first and last characters also depend on what stands beside the value.
    return encoded.slice(offset + 1, -2);
  });
  const plain = [start, encodeURIComponent(start), JSON.stringify(start).slice(1, -1), bytes.toString("hex")];
  return [...plain, ...base64, ...base64.map((form) => form.replaceAll("-", "+").replaceAll("_", "/"))].map((form) => form.toLowerCase());
}
