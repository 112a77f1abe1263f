/** Whose a namespace is: the decision about one claim, a Lease in it that every operator installation reads. Pure. */
import type { Lease } from '../../kube/objects.ts';

type Spec = NonNullable<Lease['spec']>;

/** Times of a claim. They are long, so that many namespaces cost few writes. */
export const claimTimes = {
  /** Another installation may take a claim whose record stood still this long. */
  durationMs: 120_000,
  renewEveryMs: 40_000,
  /** Without a renewal for this long the holder itself stops: well before another one may begin. */
  holdsForMs: 90_000,
  /** How often an installation that waits looks again. */
  lookEveryMs: 10_000,
  /** After a fault. */
  retryMs: 5_000,
} as const;

/** Between two looks at most this long passes while the server answers; after a longer gap nothing is known of the time between. */
const longestGapMs = 30_000;
/** A record may name a duration of its own, though not for ever. */
const longestDurationMs = 600_000;

/** A claim as this process has seen it; times are its own monotonic ones. */
export interface ClaimView {
  readonly lease: Lease | undefined;
  /** Since when the record stands as it is. */
  readonly sinceMs: number;
  readonly readAtMs: number;
}

const recordOf = (lease: Lease | undefined) =>
  lease === undefined ? '' : `${lease.metadata.uid} ${lease.metadata.resourceVersion}`;

/**
 * The view after a look at the Lease. Only the time over which this process watched the record stand still counts: clocks
 * may differ by any amount, and an outage that kept everybody from renewing is held against nobody.
 */
export function seen(before: ClaimView | undefined, lease: Lease | undefined, nowMs: number): ClaimView {
  const isSame =
    before !== undefined &&
    recordOf(before.lease) === recordOf(lease) &&
    nowMs - before.readAtMs <= longestGapMs;
  return { lease, sinceMs: isSame ? before.sinceMs : nowMs, readAtMs: nowMs };
}

export type ClaimMove =
  | { readonly do: 'create' }
  /** Write the record anew: it is ours, nobody's, or its holder let it run out. */
  | { readonly do: 'write' }
  | { readonly do: 'wait'; readonly holder: string; readonly leftMs: number };

/** What an installation does about a claim that it wants. */
export function decideClaim(installation: string, view: ClaimView, nowMs: number): ClaimMove {
  if (view.lease === undefined) return { do: 'create' };
  const { holderIdentity: holder = '', leaseDurationSeconds } = view.lease.spec ?? {};
  if (holder === '' || holder === installation) return { do: 'write' };
  const namedMs = (leaseDurationSeconds ?? claimTimes.durationMs / 1000) * 1000;
  const leftMs = view.sinceMs + Math.min(namedMs, longestDurationMs) - nowMs;
  return leftMs <= 0 ? { do: 'write' } : { do: 'wait', holder, leftMs };
}

/** The record to write; the times in it are for people. */
export function claimRecord(installation: string, before: Spec | undefined, wallMs: number): Spec {
  const time = new Date(wallMs).toISOString().replace('Z', '000Z');
  const isOurs = before?.holderIdentity === installation;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    ...before,
    holderIdentity: installation,
    leaseDurationSeconds: claimTimes.durationMs / 1000,
    acquireTime: isOurs ? (before?.acquireTime ?? time) : time,
    renewTime: time,
    leaseTransitions: before === undefined ? 0 : isOurs ? transitions : transitions + 1,
  };
}
