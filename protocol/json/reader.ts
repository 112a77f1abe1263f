/** Reads JSON from the bytes of a body: strict, without recursion, with the position of what is wrong. */
import type { TensorData } from '../datatypes.ts';
import { refusals } from '../errors.ts';

/** Deepest nesting of a request body. */
const maxDepth = 64;

export const codes = {
  blank: 32,
  quote: 34,
  comma: 44,
  minus: 45,
  zero: 48,
  colon: 58,
  openList: 91,
  backslash: 92,
  closeList: 93,
  n: 110,
  openObject: 123,
  closeObject: 125,
} as const;

const literals = ['true', 'false', 'null'] as const;
/** No JSON, but what Python writes for numbers that are none: inside data it is told by tensor and index. */
const noNumbers = ['NaN', 'Infinity', '-Infinity'] as const;

/** Keys, data-types and names come again with each request: the strings of those seen before are used again. */
const seen: (string | undefined)[] = new Array<string | undefined>(256);
const longestSeen = 32;

const isSpace = (code: number | undefined) => code === 32 || code === 10 || code === 13 || code === 9;

const farColumn = 100_000;

/** A place in the bytes of a body, and what can be read from there. */
export class JsonReader {
  readonly bytes: Buffer;
  /** Where the JSON ends; binary tensors may follow. */
  readonly end: number;
  at = 0;
  depth = 0;
  /** Lists were passed without a look into them: what is refused may be another thing than what is wrong. */
  hasSkimmed = false;
  #view: DataView | undefined;

  constructor(bytes: Buffer, end = bytes.length) {
    this.bytes = bytes;
    this.end = end;
  }

  /** The bytes as words. */
  get view(): DataView {
    const { buffer, byteOffset, byteLength } = this.bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return this.#view;
  }

  /** Goes past white space and gives the byte there; 0 at the end of the JSON. */
  next(): number {
    const bytes = this.bytes;
    let at = this.at;
    while (at < this.end && isSpace(bytes[at])) at += 1;
    this.at = at;
    return at < this.end ? (bytes[at] ?? 0) : 0;
  }

  /** Goes past one byte that must be there. */
  expect(code: number, wanted: string): void {
    if (this.next() !== code) throw this.malformed(wanted);
    this.at += 1;
  }

  enter(): void {
    this.depth += 1;
    if (this.depth > maxDepth) throw refusals.tooDeep(maxDepth);
    this.at += 1;
  }

  leave(): void {
    this.depth -= 1;
    this.at += 1;
  }

  /** The refusal of what stands here. */
  malformed(wanted: string): Error {
    const at = this.at;
    const before = this.bytes.subarray(0, at);
    let line = 1;
    let lineStart = 0;
    for (let newline = before.indexOf(10); newline >= 0; newline = before.indexOf(10, lineStart)) {
      line += 1;
      lineStart = newline + 1;
    }
    // A column that nobody counts to is told in bytes.
    const isFar = at - lineStart > farColumn;
    const column = (isFar ? at - lineStart : before.toString('utf8', lineStart).length) + 1;
    const character = this.bytes.toString('utf8', at, Math.min(at + 4, this.end)).slice(0, 1);
    const found = at >= this.end ? 'the end' : JSON.stringify(character);
    return refusals.malformed(
      `found ${found}, wanted ${wanted}, at position ${at} (line ${line}, column ${column})`,
    );
  }

  /** Reads a string. */
  string(wanted = 'a string'): string {
    if (this.next() !== codes.quote) throw this.malformed(wanted);
    const bytes = this.bytes;
    const start = this.at + 1;
    let hash = 0;
    let at = start;
    let all = 0;
    for (;;) {
      const code = bytes[at] ?? 0;
      if (code === codes.quote) break;
      if (code === codes.backslash || code < 32) return this.#slowString();
      hash = (Math.imul(hash, 31) + code) | 0;
      all |= code;
      at += 1;
    }
    if (at >= this.end) return this.#slowString();
    this.at = at + 1;
    const length = at - start;
    if (all > 127 || length > longestSeen) return this.text(start, at);
    const slot = (hash ^ (hash >>> 8)) & 255;
    const known = seen[slot];
    if (known !== undefined && known.length === length) {
      let i = 0;
      while (i < length && known.charCodeAt(i) === bytes[start + i]) i += 1;
      if (i === length) return known;
    }
    const text = this.text(start, at);
    seen[slot] = text;
    return text;
  }

  /** A string with escapes, or one that is wrong. */
  #slowString(): string {
    const start = this.at;
    this.skipString();
    return JSON.parse(this.text(start, this.at)) as string;
  }

  /** Goes past a string, checking it. */
  skipString(): void {
    const { bytes, end } = this;
    let at = this.at + 1;
    for (;;) {
      if (at >= end) {
        this.at = end;
        throw this.malformed("'\"' at the end of the string");
      }
      const code = bytes[at] ?? 0;
      at += 1;
      if (code === codes.quote) break;
      if (code < 32) {
        this.at = at - 1;
        throw this.malformed('no control character in a string');
      }
      if (code !== codes.backslash) continue;
      const escaped = bytes[at] ?? 0;
      const hexDigits = escaped === 117 ? 4 : 0;
      const isKnown =
        '"\\/bfnrtu'.includes(String.fromCharCode(escaped)) &&
        (hexDigits === 0 || /^[0-9a-fA-F]{4}$/.test(this.text(at + 1, Math.min(at + 5, end))));
      if (!isKnown || at >= end) {
        this.at = at;
        throw this.malformed('an escape that JSON knows');
      }
      at += 1 + hexDigits;
    }
    this.at = at;
  }

  /** Goes past a number, checking it. */
  skipNumber(): void {
    const bytes = this.bytes;
    if (bytes[this.at] === codes.minus) this.at += 1;
    if (bytes[this.at] === codes.zero) this.at += 1;
    else this.#skipDigits();
    if (bytes[this.at] === 46 && this.at < this.end) {
      this.at += 1;
      this.#skipDigits();
    }
    if (((bytes[this.at] ?? 0) | 32) === 101 && this.at < this.end) {
      this.at += 1;
      const sign = bytes[this.at];
      if (sign === 43 || sign === codes.minus) this.at += 1;
      this.#skipDigits();
    }
  }

  #skipDigits(): void {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end && ((bytes[at] ?? 0) - 48) >>> 0 < 10) at += 1;
    const isEmpty = at === this.at;
    this.at = at;
    if (isEmpty) throw this.malformed('a digit');
  }

  /** True, and past it, when the text stands here. */
  skipText(text: string): boolean {
    const { bytes, at } = this;
    if (at + text.length > this.end) return false;
    for (let i = 0; i < text.length; i += 1) if (bytes[at + i] !== text.charCodeAt(i)) return false;
    this.at = at + text.length;
    return true;
  }

  #skipScalar(code: number, isLenient: boolean): void {
    if (code === codes.quote) this.skipString();
    else if (isLenient && noNumbers.some((text) => this.skipText(text))) return;
    else if (code === codes.minus || (code >= 48 && code <= 57)) this.skipNumber();
    else if (!literals.some((text) => this.skipText(text))) throw this.malformed('a value');
  }

  /** Goes past any value, checking it; `isLenient` lets NaN and Infinity pass, whose reader has better words for them. */
  skipValue(isLenient = false): void {
    const base = this.depth;
    // One entry per list or object that is open: true for objects.
    const open: boolean[] = [];
    for (;;) {
      const code = this.next();
      if (code === codes.openList || code === codes.openObject) {
        const isObject = code === codes.openObject;
        this.enter();
        if (this.next() === (isObject ? codes.closeObject : codes.closeList)) this.leave();
        else {
          open.push(isObject);
          if (isObject) this.#skipKey();
          continue;
        }
      } else this.#skipScalar(code, isLenient);
      // After a value: close what ends here, then go to the next value.
      for (;;) {
        const isObject = open.at(-1);
        if (isObject === undefined) {
          this.depth = base;
          return;
        }
        const after = this.next();
        if (after === codes.comma) {
          this.at += 1;
          if (isObject) this.#skipKey();
          break;
        }
        if (after !== (isObject ? codes.closeObject : codes.closeList))
          throw this.malformed(isObject ? "',' or '}'" : "',' or ']'");
        open.pop();
        this.leave();
      }
    }
  }

  #skipKey(): void {
    if (this.next() !== codes.quote) throw this.malformed('a key in quotes');
    this.skipString();
    this.expect(codes.colon, "':'");
  }

  /** The text of some bytes. */
  text(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }
}

/** No comma where another element should follow. */
export const separatorMissing = -2;

/** Goes to the next element of a list; false when there should be a comma before it and is none. */
export const toElement = (reader: JsonReader, i: number): boolean => {
  // Most often nothing stands between number, comma and number.
  if (i > 0) {
    if (reader.bytes[reader.at] !== codes.comma && reader.next() !== codes.comma) return false;
    reader.at += 1;
  }
  if ((reader.bytes[reader.at] ?? 0) <= 32) reader.next();
  return true;
};

/**
 * Reads `count` elements with commas between them into `target` from `offset` on. Returns -1, or the place in `target`
 * of the first that is refused, with the reader in front of it; or `separatorMissing` where no comma follows.
 */
export type ReadElements = (reader: JsonReader, target: TensorData, offset: number, count: number) => number;
