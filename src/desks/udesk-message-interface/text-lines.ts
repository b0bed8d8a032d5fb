/** The separator of two pieces, weakest first: nothing, a blank, two blanks (between cells), a line break. */
type Between = "" | " " | "  " | "\n";

/** Builds lines of text piece by piece. The separator of two pieces is written with the second piece. */
export class TextLines {
  #parts: string[] = [];
  #between: Between = "";
  #prefix = "";
  #isLineEmpty = true;
  #rowStart = 0;
  #isCellFresh = false;

  /** How many pieces there are, so that what follows can be asked for. */
  get length(): number {
    return this.#parts.length;
  }

  since(length: number): string {
    return this.#parts.slice(length).join("");
  }

  add(piece: string): void {
    const text = this.#prefix === "" ? piece : piece.trimStart();
    if (text === "") return;
    const isSpaced = this.#between === " " && /^\s/.test(text);
    if (!this.#isLineEmpty && !isSpaced) this.#push(this.#between);
    this.#push(this.#prefix);
    this.#push(text);
    this.#prefix = "";
    this.#between = "";
    this.#isCellFresh = false;
    this.#isLineEmpty = text.endsWith("\n");
  }

  /** Something that ends where a blank is, such as an address. */
  addWord(word: string): void {
    const last = this.#parts.at(-1) ?? "";
    if (!/\s$/.test(last)) this.space();
    this.add(word);
    this.space();
  }

  /** Belongs to what is there, also where a line has been ended behind it. */
  attach(text: string): void {
    const between = this.#between;
    this.#between = "";
    this.add(text);
    this.#between = between;
  }

  space(): void {
    if (this.#between === "") this.#between = " ";
  }

  /** Always begins a new line; two calls make an empty line. */
  breakLine(): void {
    if (!this.#isLineEmpty && this.#between === "\n") this.#push("\n");
    this.#push("\n");
    this.#between = "";
    this.#isLineEmpty = true;
  }

  /** The next piece begins on a line of its own; the first paragraph of a cell stays beside the cell before it. */
  endLine(): void {
    if (!this.#isLineEmpty && !this.#isCellFresh) this.#between = "\n";
  }

  startRow(): void {
    this.#isCellFresh = false;
    this.endLine();
    this.#rowStart = this.#parts.length;
  }

  startCell(): void {
    if (this.#parts.length > this.#rowStart) this.#between = "  ";
    this.#isCellFresh = true;
  }

  endCell(): void {
    this.#isCellFresh = false;
  }

  /** Puts `bullet` before the next piece of the item; an empty list item shows nothing. */
  startItem(bullet: string): void {
    this.endLine();
    this.#prefix = bullet;
  }

  endItem(): void {
    this.#prefix = "";
    this.endLine();
  }

  toString(): string {
    return this.#parts.join("");
  }

  #push(part: string): void {
    if (part !== "") this.#parts.push(part);
  }
}
