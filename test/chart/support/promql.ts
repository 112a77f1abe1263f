/** What a PromQL expression asks for. */

/** Names of series in an expression: words that no bracket, function or grouping takes. */
export function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*/g)]
    .filter(({ 0: word, index }) => !/^\s*\(/.test(bare.slice(index + word.length)))
    .map(([word]) => word)
    .filter(
      (word) =>
        !['and', 'or', 'unless', 'bool', 'offset', 'sum', 'min', 'max', 'avg', 'count'].includes(word),
    );
}
