/** The output of one run of a container: a bounded ring in memory and a file for people, each line with its time. */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';

export interface LogLine {
  readonly timeMs: number;
  readonly text: string;
  /** False for the last piece of a line that has not ended yet. */
  readonly whole: boolean;
}

const maxLines = 20_000;
const maxRingBytes = 4 * 1024 * 1024;
const maxFileBytes = 10 * 1024 * 1024;
/** A line longer than this is cut into several, as container runtimes do. */
const maxLineBytes = 16 * 1024;

/** Log of one container run. */
export class ContainerLog {
  readonly #path: string | undefined;
  readonly #now: () => number;
  readonly #lines: LogLine[] = [];
  readonly #partial = new Map<string, string>();
  readonly #listeners = new Set<() => void>();
  #file: number | undefined;
  #fileBytes = 0;
  #bytes = 0;
  #dropped = 0;
  #ended = false;

  constructor(path: string | undefined, now: () => number) {
    this.#path = path;
    this.#now = now;
    if (path !== undefined) this.#file = openSync(path, 'a', 0o600);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Number of the first line that is still kept, and of the one after the last. */
  get range(): { from: number; to: number } {
    return { from: this.#dropped, to: this.#dropped + this.#lines.length };
  }

  line(number: number): LogLine | undefined {
    return this.#lines[number - this.#dropped];
  }

  lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** Takes output of one stream. */
  write(stream: string, chunk: Buffer | string): void {
    const text = (this.#partial.get(stream) ?? '') + chunk.toString('utf8');
    const parts = text.split('\n');
    let rest = parts.pop() ?? '';
    for (const part of parts) this.#add(part, true);
    while (rest.length > maxLineBytes) {
      this.#add(rest.slice(0, maxLineBytes), true);
      rest = rest.slice(maxLineBytes);
    }
    if (rest === '') this.#partial.delete(stream);
    else this.#partial.set(stream, rest);
    this.#tell();
  }

  /** No more output comes. */
  end(): void {
    if (this.#ended) return;
    for (const rest of this.#partial.values()) this.#add(rest, false);
    this.#partial.clear();
    this.#ended = true;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#tell();
  }

  /** Calls back after each addition and at the end. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last lines, at most so many lines and bytes: for termination messages. */
  tail(lines: number, bytes: number): string {
    const text = this.#lines
      .slice(-lines)
      .map((line) => line.text + (line.whole ? '\n' : ''))
      .join('');
    return Buffer.byteLength(text) <= bytes ? text : Buffer.from(text).subarray(-bytes).toString('utf8');
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #add(text: string, whole: boolean): void {
    const line = { timeMs: this.#now(), text, whole };
    this.#lines.push(line);
    this.#bytes += text.length + 1;
    while (this.#lines.length > maxLines || (this.#bytes > maxRingBytes && this.#lines.length > 1)) {
      const gone = this.#lines.shift();
      this.#bytes -= (gone?.text.length ?? 0) + 1;
      this.#dropped++;
    }
    this.#toFile(line);
  }

  #toFile(line: LogLine): void {
    if (this.#file === undefined || this.#path === undefined) return;
    const bytes = Buffer.from(`${new Date(line.timeMs).toISOString()} ${line.text}\n`);
    try {
      if (this.#fileBytes + bytes.length > maxFileBytes) {
        closeSync(this.#file);
        renameSync(this.#path, `${this.#path}.1`);
        this.#file = openSync(this.#path, 'a', 0o600);
        this.#fileBytes = 0;
      }
      writeSync(this.#file, bytes);
      this.#fileBytes += bytes.length;
    } catch {
      // A full disk must not end the pod: the ring still has the line.
    }
  }
}
