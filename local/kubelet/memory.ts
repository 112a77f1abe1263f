/** Memory limits by looking: the resident memory of a container's processes, a few times a second (Linux only). */
import { readFileSync } from 'node:fs';

const pollMs = 200;

let pageBytes: number | undefined;
function pageSize(): number {
  if (pageBytes === undefined) {
    // Node names no page size: the same figure in bytes and in pages gives it, to the next power of two.
    const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
    const ratio = process.memoryUsage.rss() / Math.max(1, pages);
    pageBytes = 2 ** Math.round(Math.log2(ratio));
  }
  return pageBytes;
}

/** Resident memory of a process and its descendants, bytes; undefined where it cannot be read. */
function residentBytes(pid: number, depth = 0): number | undefined {
  try {
    const own = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageSize();
    if (depth > 4) return own;
    let sum = own;
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
      if (child !== '') sum += residentBytes(Number(child), depth + 1) ?? 0;
    return sum;
  } catch {
    return undefined;
  }
}

/** Watches processes with a limit and calls back once for each that passed it. */
export class MemoryWatch {
  readonly #watched = new Map<number, { limitBytes: number; onOver: (bytes: number) => void }>();
  #timer: NodeJS.Timeout | undefined;

  add(pid: number, limitBytes: number, onOver: (bytes: number) => void): void {
    this.#watched.set(pid, { limitBytes, onOver });
    if (this.#timer !== undefined || process.platform !== 'linux') return;
    this.#timer = setInterval(() => this.#look(), pollMs);
    this.#timer.unref();
  }

  remove(pid: number): void {
    this.#watched.delete(pid);
    if (this.#watched.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const [pid, { limitBytes, onOver }] of [...this.#watched]) {
      const bytes = residentBytes(pid);
      if (bytes === undefined || bytes <= limitBytes) continue;
      this.#watched.delete(pid);
      onOver(bytes);
    }
  }
}
