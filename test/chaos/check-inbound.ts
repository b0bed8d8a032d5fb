import type { Books, CustomerBook, SentMessage, Span } from "./books.ts";
import type { Figures, Finding } from "./verdict.ts";

/** From the customer to the desk: at least once, first arrivals in order, always with the same id and the same words. */
export function checkInbound(book: CustomerBook, { troubles }: Books, figures: Figures): Finding[] {
  const { openId, sent, atDesk, stored } = book;
  const bySent = new Map(sent.map((message) => [message.msgId, message]));
  const firstAt = new Map<string, number>();
  const findings: Finding[] = [];
  const report = (kind: Finding["kind"], message: { text: string }, problem: string) =>
    findings.push({ kind, openId, detail: `${message.text}: ${problem}`, ...toId(stored, message) });

  for (const arrived of atDesk) {
    const message = bySent.get(arrived.msgId);
    if (message === undefined) report("altered", arrived, `the desk got it with MsgId ${arrived.msgId}, which WeChat never gave`);
    else if (message.text !== arrived.text) report("altered", message, `the desk read "${arrived.text}"`);
    if (firstAt.has(arrived.msgId)) figures.repeatedAtDesk++;
    else firstAt.set(arrived.msgId, arrived.at);
  }

  for (const message of sent) {
    const rows = stored.filter(({ direction, text }) => direction === "inbound" && text === message.text);
    const [row] = rows;
    if (rows.length > 1) report("doubled", message, `stored ${rows.length} times`);
    if (row && row.state !== "forwarded") report("stuck", message, `is ${row.state} (${row.errorCode ?? "no code"})`);
    const arrivedAt = firstAt.get(message.msgId);
    if (message.acknowledged && row === undefined) report("lost", message, "acknowledged and not stored");
    if ((message.acknowledged || row) && arrivedAt === undefined) {
      report("lost", message, `${message.acknowledged ? "acknowledged" : "stored"} and never at the desk`);
    }
    if (message.problem !== null)
      report("unexplained", message, `its callback was answered with what WeChat cannot use: ${message.problem}`);
    if (!message.acknowledged && !troubles.some((trouble) => overlap(trouble, message))) {
      report("unexplained", message, `${message.tries} tries failed although the database was there`);
    }
    if (message.acknowledged && arrivedAt !== undefined) {
      figures.toDeskMsMax = Math.max(figures.toDeskMsMax, arrivedAt - message.to);
    }
  }

  const acknowledged = sent.filter((message) => message.acknowledged);
  figures.messages += sent.length;
  figures.acknowledged += acknowledged.length;
  for (const [earlier, later] of findInversions(acknowledged, ({ msgId }) => [...firstAt.keys()].indexOf(msgId))) {
    report("disordered", later, `reached the desk before ${earlier.text}`);
  }
  return findings;
}

/** Neighbours in `items` whose positions are the other way round; what has no position (-1) is left out. */
export function findInversions<Item>(items: readonly Item[], positionOf: (item: Item) => number): [Item, Item][] {
  const placed = items.filter((item) => positionOf(item) >= 0);
  return placed.flatMap((later, index): [Item, Item][] => {
    const earlier = placed[index - 1];
    return earlier !== undefined && positionOf(earlier) > positionOf(later) ? [[earlier, later]] : [];
  });
}

function overlap(a: Span, b: Span): boolean {
  return a.from <= b.to && b.from <= a.to;
}

function toId(stored: CustomerBook["stored"], { text }: Pick<SentMessage, "text">): { messageId?: string } {
  const row = stored.find((message) => message.text === text);
  return row === undefined ? {} : { messageId: row.id };
}
