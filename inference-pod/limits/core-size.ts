/** Keeps process.abort() from writing the memory of the pod to a disk. */
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Node cannot call setrlimit, but a process may choose what its own core dump holds: with the filter 0 the kernel
 * leaves out every mapping, and what is written is a few KiB of headers and registers (measured in core-size.test.ts).
 * Returns what is in force, for the log.
 */
export const withoutCoreDumps = (): 'limit is 0' | 'filter is 0' | 'unchanged' => {
  try {
    const line = readFileSync('/proc/self/limits', 'utf8').match(/^Max core file size\s+(\S+)/m);
    if (line?.[1] === '0') return 'limit is 0';
    writeFileSync('/proc/self/coredump_filter', '0');
    return 'filter is 0';
  } catch {
    // No /proc (macOS), where core dumps are off by default.
    return 'unchanged';
  }
};
