/** Watches for what cannot be stopped: a run that hangs, and memory that a run takes without end. */

export interface WatchdogOptions {
  /** When the runner's current work began; undefined when it is idle. */
  busySinceMs(): number | undefined;
  /** How long it may take; it may depend on what was measured at warm-up. */
  hangLimitMs(): number;
  /** Undefined: no limit is known. */
  readonly memoryLimitBytes: number | undefined;
  rssBytes(): number;
  nowMs(): number;
  /** Called when much was taken since the last time, before memory is short: garbage may be most of it. `isLast`: at any cost. */
  collectGarbage(isLast: boolean): void;
  onHang(busyMs: number): void;
  onMemory(rssBytes: number, limitBytes: number): void;
}

/** Part of the memory limit at which the pod ends itself, before the kernel ends it without a word. */
const memoryShare = 0.9;
/** Part at which requests are refused as long as others are held: the pod serves on with what it has. */
const shortShare = 0.8;
/** Part above which garbage is collected early, and how much more than after the last time there must be. */
const collectShare = 0.5;
const collectStep = 1 / 16;
/** Part above which it is collected at any cost, and how seldom. */
const lastShare = 0.7;
const lastEveryMs = 2_000;
/** While a batch runs memory can grow by gigabytes per second: that is how soon it is looked at again when it is near its bound. */
const busyEveryMs = 10;
/** Where there is room it is seldomer: each look takes the core from the model, some ten microseconds and what its caches held. */
const roomyEveryMs = 100;
/** More than the kernel can hand out while it clears each page, bytes per millisecond. */
const fastestGrowth = 10e6;
const idleEveryMs = 250;

export interface Watchdog {
  /** Looks at the memory now: a pod that is about to say that it is ready must not end itself a moment later. */
  checkMemory(): void;
  /** True when no further bodies should be taken in: what is held must be answered first. */
  isMemoryShort(): boolean;
  stop(): void;
}

/** Starts watching. */
export const startWatchdog = (options: WatchdogOptions): Watchdog => {
  const memoryBound =
    options.memoryLimitBytes === undefined
      ? Number.POSITIVE_INFINITY
      : options.memoryLimitBytes * memoryShare;
  let timer: NodeJS.Timeout;
  let isShort = false;
  const of = (share: number) => (memoryBound / memoryShare) * share;
  let collectAbove = of(collectShare);
  let lastAtMs = Number.NEGATIVE_INFINITY;
  /** Looks, and says how many milliseconds the memory cannot reach its bound in. */
  const checkMemory = (): number => {
    let rss = options.rssBytes();
    if (rss > collectAbove) {
      const isLast = rss > of(lastShare) && options.nowMs() - lastAtMs > lastEveryMs;
      options.collectGarbage(isLast);
      if (isLast) lastAtMs = options.nowMs();
      rss = options.rssBytes();
      collectAbove = Math.max(of(collectShare), rss + of(collectStep));
    }
    isShort = rss > of(shortShare);
    if (rss > memoryBound) options.onMemory(rss, options.memoryLimitBytes ?? 0);
    return (memoryBound - rss) / fastestGrowth;
  };
  const look = () => {
    const busySince = options.busySinceMs();
    const busyMs = busySince === undefined ? 0 : options.nowMs() - busySince;
    const hangLimitMs = options.hangLimitMs();
    let safeMs = 0;
    if (busyMs > hangLimitMs) options.onHang(busyMs);
    else safeMs = Math.min(checkMemory(), hangLimitMs - busyMs);
    const whileBusyMs = Math.max(busyEveryMs, Math.min(roomyEveryMs, safeMs));
    timer = setTimeout(look, busySince === undefined ? idleEveryMs : whileBusyMs);
    timer.unref();
  };
  look();
  return { checkMemory, isMemoryShort: () => isShort, stop: () => clearTimeout(timer) };
};
