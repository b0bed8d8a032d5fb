// npm start: builds when it has to, then is the gateway itself. Package.json has the shell replaced by it (exec): npm hands a signal to
// its child alone, and a shell would take it and go, and leave the gateway behind.
process.argv.push("--if-stale");
await import("./build.mjs");
if (process.exitCode) process.exit();
await import("../dist/server.js");
