import { expect, test } from "vitest";
import { sniffMedia } from "../../src/media/sniff.ts";

const box = (brand: string) => Buffer.concat([Buffer.from([0, 0, 0, 0x18]), Buffer.from(`ftyp${brand}`), Buffer.alloc(12)]);

test.each<[string, Buffer, string | null]>([
  ["JFIF", Buffer.from("ffd8ffe000104a46", "hex"), "jpg"],
  ["PNG", Buffer.from("89504e470d0a1a0a0000", "hex"), "png"],
  ["GIF of 1989", Buffer.from("GIF89a…"), "gif"],
  ["AMR narrow band", Buffer.from("#!AMR\n\x04"), "amr"],
  ["AMR wide band, which no platform takes", Buffer.from("#!AMR-WB\n"), null],
  ["MP3 with a tag", Buffer.from("ID3\x04\0"), "mp3"],
  ["MP3 without a tag", Buffer.from("fffb9064", "hex"), "mp3"],
  ["AAC in ADTS, which begins like it", Buffer.from("fff15080", "hex"), null],
  ["MP4", box("isom"), "mp4"],
  ["QuickTime", box("qt  "), null],
  ["HEIC", box("heic"), null],
  ["HTML", Buffer.from("<html>"), null],
  ["SVG", Buffer.from("<svg xmlns="), null],
  ["nothing", Buffer.alloc(0), null],
])("%s is told by its first bytes", (_name, bytes, format) => {
  expect(sniffMedia(bytes)).toBe(format);
});
