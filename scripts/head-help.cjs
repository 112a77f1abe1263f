// `--help` of the project's own commands: where a file says nothing of it itself, the comment at its head is the help.
const { readFileSync } = require('node:fs');

/** The comment at the head of a source, without its frame; undefined where there is none. */
function headComment(source) {
  const found = /^\s*\/\*\*([\s\S]*?)\*\//.exec(source);
  return found?.[1]
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();
}

const [, entry, ...words] = process.argv;
if (entry?.endsWith('.ts') && words.includes('--help')) {
  const source = readFileSync(entry, 'utf8');
  const help = /\bhelp\b/i.test(source) ? undefined : headComment(source);
  if (help !== undefined) {
    process.stdout.write(`${help}\n`);
    process.exit(0);
  }
}
