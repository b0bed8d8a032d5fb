import { randomBytes } from "node:crypto";

export interface MultipartFile {
  /** The form field's name. */
  field: string;
  fileName: string;
  contentType: string;
  bytes: Buffer;
}

/** A form with one file, as bytes whose length is known before the first leaves. */
export function toMultipart({ field, fileName, contentType, bytes }: MultipartFile): { contentType: string; body: Buffer } {
  const boundary = `wxdesk-${randomBytes(18).toString("hex")}`;
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${toQuoted(field)}"; filename="${toQuoted(fileName)}"`,
    `Content-Type: ${contentType}`,
  ];
  const body = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${boundary}`, body };
}

/** As browsers do it (WHATWG HTML, multipart/form-data): a name cannot end its quotes or its line. */
function toQuoted(name: string): string {
  return name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}
