/** How often the pods of each ModelDeployment are asked, so that all of them together stay within a budget. Pure. */

/** What is known of one ModelDeployment's pods. */
export interface Asked {
  readonly pods: number;
  /** `calm`: no requests; `busy`: some; `urgent`: more than ever, or a rollout. */
  readonly need: 'calm' | 'busy' | 'urgent';
  /** Gateways tell its load each second: its pods are asked for the rest only. */
  readonly held: boolean;
}

export interface Pace {
  readonly busyPeriodMs: number;
  /** A small fleet at rest is asked sooner, as often as `calmPullsPerSecond` in all allow. */
  readonly calmPeriodMs: number;
  readonly calmPullsPerSecond: number;
  readonly pullsPerSecond: number;
}

/** Of a ModelDeployment at rest one pod in turn is asked this often: the first requests reach any of them. */
const calmWatch = 0.5;
/** The same of one that works, where there are too many for more: a burst is seen within a second or so. */
const busyWatch = 1;
/** No pod is asked less often than this while there is room in the budget. */
const rareMs = 60_000;
/** Behind gateways, where the fleet is large. */
const heldRareMs = 30_000;
/** Watching takes no more than this share of the pulls. */
const watchShare = 0.5;

interface Share {
  /** Pulls per second that it would like to have, and those that it needs to notice a burst. */
  readonly wanted: number;
  readonly watch: number;
}

function shareOf({ pods, need, held }: Asked, fleet: number, pace: Pace, scarce: boolean): Share {
  const often = (1_000 * pods) / pace.busyPeriodMs;
  if (need === 'urgent') return { wanted: often, watch: often };
  const rare = (1_000 * pods) / rareMs;
  if (need === 'calm') {
    const room = (pace.calmPullsPerSecond * pods) / Math.max(1, fleet);
    const watch = Math.min((1_000 * pods) / pace.calmPeriodMs, calmWatch);
    return { wanted: Math.min(often / 2, Math.max(room, watch, rare)), watch };
  }
  if (held && scarce)
    return { wanted: Math.min(often, Math.max(calmWatch, (1_000 * pods) / heldRareMs)), watch: 0 };
  return { wanted: often, watch: Math.min(often, busyWatch) };
}

/** Pulls per second for each, in the order given. In a small fleet that is what each wants. */
export function paceOf(asked: readonly Asked[], pace: Pace): number[] {
  const fleet = asked.reduce((sum, { pods }) => sum + pods, 0);
  const sum = (shares: readonly Share[], of: keyof Share) => shares.reduce((all, one) => all + one[of], 0);
  let shares = asked.map((one) => shareOf(one, fleet, pace, false));
  if (sum(shares, 'wanted') <= pace.pullsPerSecond) return shares.map(({ wanted }) => wanted);
  shares = asked.map((one) => shareOf(one, fleet, pace, true));
  const wanted = sum(shares, 'wanted');
  if (wanted <= pace.pullsPerSecond) return shares.map((one) => one.wanted);
  const watched = sum(shares, 'watch');
  const thinner = Math.min(1, (watchShare * pace.pullsPerSecond) / Math.max(1, watched));
  const left = pace.pullsPerSecond - watched * thinner;
  const more = left / Math.max(1e-9, wanted - watched * thinner);
  return shares.map((one) => {
    const watch = one.watch * thinner;
    return watch + Math.min(1, more) * (one.wanted - watch);
  });
}
