/** Lists whose brackets may be left out (udesk.md B: rest-client 1.x). */
const LISTS = new Set(["articles", "messages"]);

interface List {
  index: number;
  seen: Set<string>;
}

/**
 * Gives the items of lists their numbers, key by key in the form's order: `news[articles][][title]` (rest-client 2) and
 * `news[articles][title]` (1.x) become `news[articles][0][title]`. A field that the last item already has starts the next one, as
 * Rack reads it. Keys with numbers of their own stay.
 */
export function createListNumbering(depthMax: number): (key: string) => string {
  const lists = new Map<string, List>();
  return (key) => {
    const [name = "", ...fields] = toSegments(key);
    if (fields.length > depthMax) return key;
    let path = name;
    for (const [position, field] of fields.entries()) {
      const isLeftOut = LISTS.has(fields[position - 1] ?? name) && !/^\d*$/.test(field);
      const isItem = field === "" && position < fields.length - 1;
      if (isLeftOut || isItem) {
        path += `[${indexOf(lists, path, fields.slice(isLeftOut ? position : position + 1))}]`;
      }
      if (!isItem) path += `[${field}]`;
    }
    return path;
  };
}

/** The parts of a key with whole brackets; any other key is one part. */
function toSegments(key: string): string[] {
  return /^[^[\]]+(?:\[[^[\]]*\])+$/.test(key) ? key.slice(0, -1).split(/\]?\[/) : [key];
}

function indexOf(lists: Map<string, List>, path: string, fields: readonly string[]): number {
  const list = lists.get(path) ?? { index: 0, seen: new Set() };
  lists.set(path, list);
  const field = fields.join("][");
  if (list.seen.has(field) && fields.at(-1) !== "") {
    list.index += 1;
    list.seen.clear();
  }
  list.seen.add(field);
  return list.index;
}
