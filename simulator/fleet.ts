/** Several simulated ModelDeployments that share one cluster. */

import { Deployment } from './deployment.ts';
import type { DeploymentConfig } from './deployment-config.ts';
import { durationOf } from './traffic/arrivals.ts';

/** Scales all deployments of a cluster at once. */
export interface FleetPolicy {
  readonly name: string;
  /** Replicas of each deployment, in their order; undefined: as it is. */
  tick(deployments: readonly Deployment[]): readonly (number | undefined)[];
}

export interface FleetOutcome {
  readonly policy: string;
  readonly seed: number;
  readonly requests: number;
  /** Share of all requests that were answered within the promise. */
  readonly kept: number;
  /** The same of the deployment that fared worst. */
  readonly worstKept: number;
  /** Replicas that ran, on average. */
  readonly meanReplicas: number;
  readonly actions: number;
}

/** Pods that have a place, those that end included. */
const placed = ({ pods }: Deployment) =>
  pods.reduce((sum, { state }) => sum + (state === 'pending' ? 0 : 1), 0);

/** Replays the traces of all deployments at once in a cluster that has room for `clusterPods`. */
export function replayFleet(
  configs: readonly DeploymentConfig[],
  clusterPods: number,
  policy: FleetPolicy,
): FleetOutcome {
  const deployments: Deployment[] = [];
  for (const [index, config] of configs.entries()) {
    // What the others leave is asked anew each time: they grow and shrink meanwhile.
    const shared: DeploymentConfig = {
      ...config,
      get clusterPods() {
        return deployments.reduce(
          (room, other, at) => (at === index ? room : room - placed(other)),
          clusterPods,
        );
      },
    };
    deployments.push(new Deployment(shared));
  }
  const seconds = Math.max(...configs.map(({ trace }) => Math.ceil(durationOf(trace))));
  let actions = 0;
  for (let second = 1; second <= seconds; second += 1) {
    for (const deployment of deployments) {
      deployment.advanceTo(second);
      deployment.closeSecond();
    }
    const wanted = policy.tick(deployments);
    // Who gives goes first, so that who takes finds the room.
    const order = deployments
      .map((deployment, index) => ({ deployment, to: wanted[index] ?? deployment.replicas }))
      .filter(({ deployment, to }) => to !== deployment.replicas)
      .sort((one, other) => one.to - one.deployment.replicas - (other.to - other.deployment.replicas));
    for (const { deployment, to } of order) {
      deployment.scaleTo(to);
      actions += 1;
    }
  }
  const replicaSeconds = deployments.reduce((sum, one) => sum + one.replicaSeconds, 0);
  for (const deployment of deployments) deployment.advanceTo(seconds + 120);
  const shares = deployments.map(({ tally }) =>
    tally.requests === 0 ? 1 : 1 - tally.violations / tally.requests,
  );
  const requests = deployments.reduce((sum, { tally }) => sum + tally.requests, 0);
  const violations = deployments.reduce((sum, { tally }) => sum + tally.violations, 0);
  return {
    policy: policy.name,
    seed: configs[0]?.seed ?? 0,
    requests,
    kept: requests === 0 ? 1 : 1 - violations / requests,
    worstKept: Math.min(...shares),
    meanReplicas: replicaSeconds / seconds,
    actions,
  };
}
