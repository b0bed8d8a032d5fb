/** Not in package.json: without a version there, npm refuses to pack or publish a folder that holds no build. */
export const VERSION = "0.1.0";
