/** The smallest files that are what they claim to be. */
const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
/** AMR-NB: the magic and one frame of silence. */
const AMR = Buffer.concat([Buffer.from("#!AMR\n"), Buffer.from("0491161e000000000000000000", "hex")]);
const MP4 = Buffer.from("000000186674797069736f6d0000020069736f6d69736f32", "hex");

export const SAMPLES = {
  image: { contentType: "image/png", fileName: "picture.png", bytes: PNG },
  voice: { contentType: "audio/amr", fileName: "voice.amr", bytes: AMR },
  video: { contentType: "video/mp4", fileName: "video.mp4", bytes: MP4 },
  thumb: { contentType: "image/png", fileName: "thumb.png", bytes: PNG },
} as const;
