/** Random access to a file through one small window, so that inspecting a 2 GiB model needs no 2 GiB. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes that a reader can look at; positions outside are the reader's mistake to avoid. */
export interface ByteSource {
  readonly length: number;
  byteAt(position: number): number;
  /** A copy of a short stretch. */
  bytes(start: number, end: number): Uint8Array;
}

/** Bytes that are in memory already. */
export const memorySource = (data: Uint8Array): ByteSource => ({
  length: data.length,
  byteAt: (position) => data[position] ?? 0,
  bytes: (start, end) => data.slice(start, end),
});

const windowBytes = 256 * 1024;

/** Opens a file; `close` it when done. */
export const openByteSource = (path: string): ByteSource & { close(): void } => {
  const fd = openSync(path, 'r');
  const length = fstatSync(fd).size;
  const window = Buffer.allocUnsafe(Math.min(windowBytes, Math.max(1, length)));
  let windowStart = 0;
  let windowEnd = 0;
  return {
    length,
    byteAt: (position) => {
      if (position < windowStart || position >= windowEnd) {
        windowStart = position;
        windowEnd = position + readSync(fd, window, 0, window.length, position);
      }
      return window[position - windowStart] ?? 0;
    },
    bytes: (start, end) => {
      const copy = new Uint8Array(Math.max(0, end - start));
      let done = 0;
      while (done < copy.length) {
        const count = readSync(fd, copy, done, copy.length - done, start + done);
        if (count === 0) break;
        done += count;
      }
      return copy;
    },
    close: () => closeSync(fd),
  };
};
