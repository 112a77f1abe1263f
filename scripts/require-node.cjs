// Loaded with `node -r` before any TypeScript, in a syntax that every Node understands, so that an old Node
// gets a sentence instead of a syntax error. npm puts node_modules/.bin first on the PATH: on Linux x64 and
// arm64 that is the Node 24 which `npm ci` brought.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `Ballast needs Node 24 or later; this is ${process.version} at ${process.execPath}.\n` +
      `On Linux x64 and arm64 "npm ci" brings it: run the command through npm ("npm start", "npm test").\n` +
      `Elsewhere install Node 24 from https://nodejs.org/en/download and run "npm ci" again.\n`,
  );
  process.exit(1);
}
require('./head-help.cjs');
