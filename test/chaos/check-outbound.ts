import type { Books, CustomerBook, SeenMessage, StoredMessage } from "./books.ts";
import { findInversions } from "./check-inbound.ts";
import { findTokens } from "./tokens.ts";
import type { Figures, Finding } from "./verdict.ts";

/** Two answers on two connections may pass each other on the way to the customer's phone; in one process that takes no longer than this, unless it stands still. */
const CROSSING_MS_MAX = 250;

/**
 * From desk and agent to the customer: what the gateway calls sent was seen exactly once, what it calls uncertain at most once, all
 * else not at all. Goes by the tokens in the texts, because long replies are split and held ones may be joined.
 */
export function checkOutbound(book: CustomerBook, { explained, lagMsMax }: Books, figures: Figures): Finding[] {
  const { openId, sent, pushed, seen, stored } = book;
  const rows = stored.filter(({ direction }) => direction === "outbound");
  const seenBy = index(seen);
  const findings: Finding[] = [];
  const report = (kind: Finding["kind"], text: string, problem: string, row?: StoredMessage) =>
    findings.push({ kind, openId, detail: `${text.slice(0, 40)}: ${problem}`, ...(row && { messageId: row.id }) });

  const checkReason = (row: StoredMessage) => {
    const code = row.errorCode ?? "no code";
    const count = (figures.endings.get(code) ?? 0) + 1;
    figures.endings.set(code, count);
    const countMax = explained.get(code) ?? 0;
    if (count > countMax) report("unexplained", row.text, `${row.state} with ${code}, which the plan explains ${countMax} times`, row);
  };

  for (const row of rows) {
    const counts = findTokens(row.text).map((token) => seenBy.get(token)?.length ?? 0);
    if (Math.max(...counts) > 1) report("doubled", row.text, `seen ${counts.join(" and ")} times, state ${row.state}`, row);
    if (row.state === "sent") {
      if (Math.max(...counts) === 0 && wentIntoTheVoid(row, book)) figures.intoTheVoid++;
      else if (Math.min(...counts) < 1) report("lost", row.text, `sent (${row.way}), and seen ${counts.join(" and ")} times`, row);
    } else if (row.state === "uncertain") {
      figures.uncertain++;
      checkReason(row);
    } else if (ENDED_UNSENT.has(row.state)) {
      figures.failed++;
      if ((counts.at(-1) ?? 0) > 0) report("doubled", row.text, `seen, although ${row.state}`, row);
      checkReason(row);
    } else report("stuck", row.text, `is still ${row.state} (${row.errorCode ?? "no code"})`, row);
    if (row.text.startsWith("«n")) figures.notices++;
  }

  const rowOf = new Map(rows.map((row) => [headOf(row.text), row]));
  for (const { text, acknowledgedAt } of pushed) {
    const copies = rows.filter((row) => headOf(row.text) === headOf(text));
    if (acknowledgedAt !== null && copies.length === 0) report("lost", text, "acknowledged to the desk and not stored");
    if (copies.length > 1) report("doubled", text, `stored ${copies.length} times`, copies[0]);
    if (copies[0] && copies[0].text !== text) report("altered", text, `stored as "${copies[0].text.slice(0, 80)}"`, copies[0]);
    const seenAt = seenBy.get(headOf(text))?.[0]?.at;
    if (acknowledgedAt !== null && seenAt !== undefined) {
      figures.toCustomerMsMax = Math.max(figures.toCustomerMsMax, seenAt - acknowledgedAt);
    }
  }
  for (const token of seenBy.keys()) if (!rows.some(({ text }) => text.includes(token))) report("invented", token, "seen, and not stored");
  for (const { text, way } of seen) {
    if (findTokens(text).length > 0) way === "passive" ? figures.seenPassively++ : figures.seenAsync++;
  }

  const failures = seen.filter(({ isFailure }) => isFailure).length;
  const unanswered = sent.filter(({ acknowledged, problem }) => !acknowledged || problem !== null).length;
  if (failures > unanswered) report("unexplained", openId, `saw ${failures} times that the account is out of service`);

  const acknowledged = pushed.filter(({ acknowledgedAt }) => acknowledgedAt !== null);
  for (const [earlier, later] of findInversions(acknowledged, ({ text }) => rows.findIndex((row) => headOf(row.text) === headOf(text)))) {
    report("disordered", later.text, `stored before ${headOf(earlier.text)}`, rowOf.get(headOf(later.text)));
  }
  findings.push(...checkOutageNotices(book, rows));
  const tokened = rows.filter(({ text }) => findTokens(text).length > 0);
  for (const [earlier, later] of findInversions(tokened, (row) => seen.findIndex(({ text }) => text.includes(headOf(row.text))))) {
    if (isCrossing(earlier, later, book, CROSSING_MS_MAX + lagMsMax)) figures.crossed++;
    else report("disordered", later.text, `seen before ${headOf(earlier.text)}`, later);
  }
  figures.pushes += pushed.length;
  figures.pushesAcknowledged += acknowledged.length;
  return findings;
}

/** What the gateway itself says of an outage is the same each time, so it can only be counted: seen as often as it was sent. */
function checkOutageNotices(book: CustomerBook, rows: readonly StoredMessage[]): Finding[] {
  const notices = rows.filter(({ text }) => findTokens(text).length === 0);
  const [first] = notices;
  if (first === undefined) return [];
  const max = notices.filter(({ state }) => state === "sent" || state === "uncertain").length;
  const min = notices.filter((row) => row.state === "sent" && !wentIntoTheVoid(row, book)).length;
  // It may have been joined with others.
  const times = book.seen.reduce((sum, { text }) => sum + text.split(first.text).length - 1, 0);
  if (times >= min && times <= max) return [];
  const detail = `${first.text.slice(0, 40)}: seen ${times} times, sent ${min} to ${max} times`;
  return [{ kind: times < min ? "lost" : "doubled", openId: book.openId, detail, messageId: first.id }];
}

const ENDED_UNSENT: ReadonlySet<string> = new Set(["failed", "dead"]);

/**
 * The earlier one rode on a callback's answer and the later one left once that answer was out, on another connection; or WeChat did
 * not take the first answer and was given the same words again.
 */
function isCrossing(earlier: StoredMessage, later: StoredMessage, { seen, sent }: CustomerBook, crossingMsMax: number): boolean {
  const find = ({ text }: StoredMessage) => seen.find((shown) => shown.text.includes(headOf(text)));
  const [slow, quick] = [find(earlier), find(later)];
  if (slow?.way !== "passive" || quick?.way !== "async") return false;
  const isRepeated = sent.some(({ reply, tries }) => tries > 1 && reply?.includes(headOf(earlier.text)));
  return isRepeated || slow.at - quick.at <= crossingMsMax;
}

/** Half of it for the moment between the last byte and the settlement, half for clocks that are read a little later. */
const SETTLING_MS_MAX = 2_000;

/**
 * It rode on the answer to a callback that WeChat hung up on in that very moment, and none of WeChat's further tries, which would have
 * been given the same answer, got through to the gateway's database. A response is not acknowledged, so nobody can know.
 */
function wentIntoTheVoid({ way, settledAt }: StoredMessage, { sent }: CustomerBook): boolean {
  if (way !== "passive" || settledAt === null) return false;
  return sent.some(({ acknowledged, from, to }) => !acknowledged && from <= settledAt && settledAt <= to + SETTLING_MS_MAX);
}

function index(seen: readonly SeenMessage[]): Map<string, SeenMessage[]> {
  const found = new Map<string, SeenMessage[]>();
  for (const shown of seen) for (const token of findTokens(shown.text)) found.set(token, [...(found.get(token) ?? []), shown]);
  return found;
}

/** The token that a text begins with. */
function headOf(text: string): string {
  return findTokens(text)[0] ?? text;
}
