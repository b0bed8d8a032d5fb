export interface XmlElement {
  name: string;
  /** The element's own text, CDATA included, untrimmed; without the text of its children. */
  text: string;
  children: XmlElement[];
}
