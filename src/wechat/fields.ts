import { childText, type XmlElement } from "./xml.ts";

/**
 * A value that a platform made: an id, a type, a time, an address. Blanks and line breaks around it are the sender's formatting
 * (the manual's own samples have them), and an empty one says no more than an absent one.
 */
export function identifier(root: XmlElement, name: string): string | undefined {
  return childText(root, name)?.trim() || undefined;
}

/**
 * The texts of all elements below that have no children, untrimmed, by path: "ScanCodeInfo.ScanResult", and numbered where a name
 * repeats, "PicList.item[0].PicMd5Sum". Has no prototype, so that an element may bear any name.
 */
export function flatTexts({ children }: Pick<XmlElement, "children">): Record<string, string> {
  const texts: Record<string, string> = Object.create(null);
  collect(children, "", texts);
  return texts;
}

function collect(elements: readonly XmlElement[], prefix: string, texts: Record<string, string>): void {
  for (const [name, namesakes] of groupByName(elements)) {
    for (const [index, element] of namesakes.entries()) {
      const path = `${prefix}${name}${namesakes.length > 1 ? `[${index}]` : ""}`;
      if (element.children.length > 0) collect(element.children, `${path}.`, texts);
      else texts[path] = element.text;
    }
  }
}

function groupByName(elements: readonly XmlElement[]): Map<string, XmlElement[]> {
  const groups = new Map<string, XmlElement[]>();
  for (const element of elements) {
    const group = groups.get(element.name);
    if (group) group.push(element);
    else groups.set(element.name, [element]);
  }
  return groups;
}
