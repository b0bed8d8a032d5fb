const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", " "],
]);

/** One pass, so that `&amp;lt;` becomes `&lt;` and no further. Unknown names stay as they are. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (entity, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name.toLowerCase()) ?? entity;
    return toCharacter(decimal !== undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

function toCharacter(codePoint: number): string {
  const isStorable = codePoint > 0 && codePoint <= 0x10ffff && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
  return isStorable ? String.fromCodePoint(codePoint) : "\uFFFD";
}
