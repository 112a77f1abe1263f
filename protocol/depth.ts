/** Refuses JSON that is nested too deeply before anything recursive sees it. */

/** Deepest nesting of a request body. */
export const maxDepth = 64;

const quoteCode = 34;
const backslash = 92;

/** True when so few lists and objects begin in the text that it cannot be deep; searching is many times faster than scanning. */
const hasFewOpenings = (text: string, limit: number): boolean => {
  let openings = 0;
  for (const opening of ['[', '{'])
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + 1)) {
      openings += 1;
      if (openings > limit) return false;
    }
  return true;
};

/** True when the text nests lists and objects deeper than `limit`; strings are skipped, nothing is validated. */
export const isDeeperThan = (text: string, limit: number): boolean => {
  if (hasFewOpenings(text, limit)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 91 || code === 123) {
      depth += 1;
      if (depth > limit) return true;
    } else if (code === 93 || code === 125) {
      depth -= 1;
    } else if (code === quoteCode) {
      i += 1;
      while (i < text.length) {
        const inner = text.charCodeAt(i);
        if (inner === backslash) i += 1;
        else if (inner === quoteCode) break;
        i += 1;
      }
    }
  }
  return false;
};
