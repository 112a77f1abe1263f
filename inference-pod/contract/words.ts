/** What callers are told of findings: in an error's message, and in the header of an answer that went out all the same. */
import type { Finding } from './types.ts';

/** Name of the header (in gRPC: of the trailing metadata) that says what was flagged. */
export const contractHeader = 'ballast-contract';
/** Name of the same text among the parameters of an answer. */
export const contractParameter = 'ballast_contract';

/** Most characters of the header's value: proxies give all headers together 8 KiB and less. */
const maxHeaderLength = 1_000;
const maxFlagLength = 160;

/** `input 'x', row 0, column 3 is 17, wanted at most 15 (rule max)`. */
export const sentenceOf = (finding: Finding): string =>
  `${finding.side} '${finding.tensor}'${finding.place === '' ? '' : `, ${finding.place}`} is ${finding.got}, wanted ${finding.wanted} (rule ${finding.breach})`;

/** `max input x[0,3]: 17, wanted at most 15`, in letters that a header may hold. */
export const flagOf = ({ side, tensor, breach, index, got, wanted }: Finding): string => {
  const place = index.length === 0 ? '' : `[${index.join(',')}]`;
  const text = escaped(`${breach} ${side} ${tensor}${place}: ${got}, wanted ${wanted}`);
  return text.length <= maxFlagLength ? text : `${text.slice(0, maxFlagLength - 3)}...`;
};

/** Visible ASCII and blanks stay but for `;`, which ends a flag; everything else is escaped as `\u{…}`. */
const escaped = (text: string): string =>
  text
    .replaceAll('±', '+-')
    .replace(/[^ -:<-~]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);

/** Value of the header of a flagged answer: `flagged; max input x[0,3]: 17, wanted at most 15; …`. */
export const headerOf = (flags: readonly string[]): string => {
  let text = 'flagged';
  for (const [index, flag] of flags.entries()) {
    if (text.length + flag.length > maxHeaderLength - 20) return `${text}; and ${flags.length - index} more`;
    text += `; ${flag}`;
  }
  return text;
};
