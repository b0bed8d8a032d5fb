/** An http or https address that carries nothing but a place: no user, password, query or fragment. */
export function isBareHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return isHttp && url.username === "" && url.password === "" && !text.includes("?") && !text.includes("#");
}
