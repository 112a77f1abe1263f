/** What the fleet loop reads beside the pods' load: the gateways' load, and how long pods took to start, from the caches. */
import { labels } from '../../crds/constants.ts';
import { parseGatewayReport } from '../../crds/gateway-load.ts';
import type { Clock } from '../../kube/clock.ts';
import { createGatewayProbe, type GatewayProbe } from '../probe/gateway-probe.ts';
import { gatewayTargetsOf } from '../probe/gateway-targets.ts';
import { createPullerOf } from '../probe/pull.ts';
import { Startups } from '../probe/startups.ts';
import type { Caches } from './caches.ts';

export interface GatewayLoadReader {
  readonly probe: GatewayProbe;
  /** Before each round of the fleet loop: the list of gateways, where it is new. */
  beforeRound(): void;
  /** The list is to be made anew, because other namespaces may be ours. */
  lookAgain(): void;
  /** Ends the connections. */
  close(): Promise<void>;
}

/** A first answer tells two minutes of each model: of 10,000 models, the most that one gateway has ports for, the busy part. */
const maxBytes = 16 * 1_024 * 1_024;

/** Follows the gateways' EndpointSlices; nothing is asked before `probe.start`. */
export function followGatewayLoad(options: {
  readonly caches: Pick<Caches, 'gatewaySlices'>;
  readonly isOurs: (namespace: string) => boolean;
  readonly clock: Clock;
}): GatewayLoadReader {
  const { gatewaySlices } = options.caches;
  const puller = createPullerOf(parseGatewayReport, { maxBytes });
  const probe = createGatewayProbe({ clock: options.clock, pull: puller.pull, random: Math.random });
  let changed = true;
  gatewaySlices.onChange(() => {
    changed = true;
  });
  return {
    probe,
    beforeRound() {
      if (!changed) return;
      changed = false;
      const slices = gatewaySlices.store.list();
      probe.setTargets(
        gatewayTargetsOf(slices.filter(({ metadata }) => options.isOurs(metadata.namespace ?? ''))),
      );
    },
    lookAgain() {
      changed = true;
    },
    close: () => puller.close(),
  };
}

/** Learns from the caches' pods how long new ones take; what was learned of a ModelDeployment goes with it. */
export function followStartups(caches: Pick<Caches, 'pods' | 'modelDeployments'>): Startups {
  const startups = new Startups();
  caches.pods.onChange(({ type, object, previous }) => {
    if (type !== 'deleted' && object.metadata.labels?.[labels.deployment] !== undefined)
      startups.see(previous, object);
  });
  caches.modelDeployments.onChange(({ type, key }) => {
    if (type === 'deleted') startups.forget(key);
  });
  return startups;
}
