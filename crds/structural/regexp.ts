/** Go (RE2) regular expressions by JavaScript's engine, for what both share. */

const compiled = new Map<string, RegExp | string>();
const maxCached = 1_000;
/** Most repetitions that RE2 takes. */
const maxRepeat = 1_000;

function translate(pattern: string): RegExp {
  let flags = 'u';
  let source = pattern;
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline !== null) {
    flags += inline[1] ?? '';
    source = source.slice(inline[0].length);
  }
  source = source
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\(\?P</g, '(?<')
    .replace(/\[\[:alnum:\]\]/g, '[0-9A-Za-z]')
    .replace(/\[\[:alpha:\]\]/g, '[A-Za-z]')
    .replace(/\[\[:digit:\]\]/g, '[0-9]')
    .replace(/\[\[:space:\]\]/g, '[\\t\\n\\v\\f\\r ]')
    .replace(/\[:alnum:\]/g, '0-9A-Za-z')
    .replace(/\[:alpha:\]/g, 'A-Za-z')
    .replace(/\[:digit:\]/g, '0-9')
    .replace(/\[:lower:\]/g, 'a-z')
    .replace(/\[:upper:\]/g, 'A-Z')
    .replace(/\[:space:\]/g, '\\t\\n\\v\\f\\r ');
  const repeat = [...source.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].find(
    ([, from, to]) => Math.max(Number(from), Number(to ?? 0)) > maxRepeat,
  );
  if (repeat !== undefined) throw new SyntaxError(`invalid repeat count: \`${repeat[0]}\``);
  if (/\(\?(=|!|<=|<!)/.test(source)) throw new SyntaxError('lookaround is not part of RE2');
  if (/\\[1-9]/.test(source)) throw new SyntaxError('backreferences are not part of RE2');
  try {
    return new RegExp(source, flags);
  } catch {
    // Go allows escapes such as `\-` and `\_` that JavaScript's unicode mode refuses.
    return new RegExp(source, flags.replace('u', ''));
  }
}

/** What Go's compiler says about the fault that JavaScript's found. */
function goWords(message: string, pattern: string): string {
  const look = /\(\?(=|!|<=|<!)/.exec(pattern);
  if (look !== null) return `invalid or unsupported Perl syntax: \`${look[0].slice(0, 3)}\``;
  const reference = /\\[1-9]/.exec(pattern);
  if (reference !== null) return `invalid escape sequence: \`${reference[0]}\``;
  if (/Unterminated group/.test(message)) return `missing closing ): \`${pattern}\``;
  if (/Unmatched '\)'/.test(message)) return `unexpected ): \`${pattern}\``;
  if (/Unterminated character class|missing terminating \]/i.test(message))
    return `missing closing ]: \`${pattern.slice(pattern.lastIndexOf('['))}\``;
  if (/Nothing to repeat/.test(message)) {
    const repeat = /(?:^|[|(])([*+?]|\{\d+(?:,\d*)?\})/.exec(pattern)?.[1] ?? '*';
    return `missing argument to repetition operator: \`${repeat}\``;
  }
  if (/out of order/.test(message))
    return `invalid character class range: \`${/\w-\w/.exec(pattern)?.[0] ?? pattern}\``;
  if (/\\ at end of pattern/.test(message)) return 'trailing backslash at end of expression: ``';
  return message;
}

/** The expression, or a sentence that says why it is none. */
export function compileRegExp(pattern: string): RegExp | string {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  let result: RegExp | string;
  try {
    result = translate(pattern);
  } catch (error) {
    result = goWords(error instanceof Error ? error.message : String(error), pattern);
  }
  if (compiled.size >= maxCached) compiled.clear();
  compiled.set(pattern, result);
  return result;
}
