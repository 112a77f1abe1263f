/** `status.scaling.headroom`: what room is kept, by whom, at what price, and why not more. */
import type { ScalingStatus } from '../../../crds/status.ts';
import { costFacts, formatPrice } from './cost.ts';
import type { StatusFacts } from './facts.ts';
import { cutMessage } from './rounding.ts';

type HeadroomStatus = NonNullable<ScalingStatus['headroom']>;

/** Why no room is asked for although some is wished. */
function whyNone({ snapshot, needed, limits }: StatusFacts): string {
  const { spec } = snapshot.deployment;
  if (spec.scaling.headroom === undefined) return 'scaling.headroom was taken away: what it made goes';
  if (spec.suspend === true) return 'no room is kept: spec.suspend is true';
  if (needed === 0) return 'no room is kept while no replica runs';
  if (needed >= limits.maxReplicas)
    return `no room is kept: as many replicas run as maxReplicas allows, ${limits.maxReplicas}`;
  return spec.scaling.headroom.forecast === undefined
    ? 'no room is kept: maxHourlyCost is spent'
    : `no room is kept: the forecast for ${spec.scaling.headroom.forecast} ahead needs no more replicas, or maxHourlyCost is spent`;
}

/** The status; undefined where no room is wanted nor left, or nobody keeps any. */
export function headroomStatus(facts: StatusFacts): HeadroomStatus | undefined {
  const { headroom, deployment } = facts.snapshot;
  if (headroom === undefined) return undefined;
  const { wanted, kept, problem } = headroom;
  // What was kept before a restart is still there.
  const before = deployment.status?.scaling?.headroom;
  const replicas = kept?.replicas ?? before?.replicas ?? 0;
  const form = kept?.form ?? before?.form;
  const { perReplicaHour } = costFacts(facts);
  const sentences = [
    ...(problem === undefined ? [] : [problem]),
    ...(wanted === 0
      ? [whyNone(facts)]
      : wanted === 'unknown'
        ? [
            kept === undefined || kept.replicas === 0
              ? 'no room is kept yet: the forecast is not known'
              : `${kept.sentence}; the forecast is not known, so this stays`,
          ]
        : [kept?.sentence ?? `room for ${wanted === 1 ? '1 replica' : `${wanted} replicas`} is being made`]),
  ];
  return {
    replicas,
    ...(form === undefined ? {} : { form }),
    ...(kept === undefined || kept.inPlace === 'unknown' ? {} : { inPlace: kept.inPlace }),
    perHour: formatPrice(
      replicas === 0 ? 0 : perReplicaHour === 'unknown' ? 'unknown' : replicas * perReplicaHour,
    ),
    message: cutMessage(sentences.join('; '), 512),
  };
}
