/** Below a page that is not the last. */
export function toMoreLine(nextCursor: string | null): string {
  return nextCursor === null ? "" : `\n\nThere are more: add --cursor ${nextCursor}`;
}
