/** A settled `wine`, what happens to it, and the status that is said next. */
import type { ModelDeploymentStatus } from '../../../crds/status.ts';
import type { ModelDeployment } from '../../../crds/types.ts';
import type { Pod } from '../../../kube/objects.ts';
import { plan } from '../plan.ts';
import type { Snapshot } from '../snapshot.ts';
import { makePod, type SpecPart } from './builders.ts';
import { World } from './world.ts';

/** `True Serving` */
export const conditionIn = (status: ModelDeploymentStatus | undefined, type: string) => {
  const found = status?.conditions?.find((one) => one.type === type);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
};

/** A `wine` that runs with two ready pods, then changed by `change`; the status that is said next. */
export function statusAfter(
  change: (snapshot: Snapshot) => Partial<Snapshot>,
  replicas = 2,
): ModelDeploymentStatus {
  const world = new World(replicas);
  world.settle();
  const settled = world.snapshot();
  const changed = { ...settled, ...change(settled) };
  return plan(changed).status ?? (changed.deployment.status as ModelDeploymentStatus);
}

/** The ModelDeployment as the user wrote it anew. */
export const rewritten = ({ deployment }: Snapshot, spec: SpecPart): ModelDeployment => ({
  ...deployment,
  metadata: { ...deployment.metadata, generation: deployment.metadata.generation + 1 },
  spec: { ...deployment.spec, ...spec, scaling: { ...deployment.spec.scaling, ...spec.scaling } },
});
/** The pod, not ready any more. */
export const unready = (pod: Pod, part: Parameters<typeof makePod>[1] = {}) =>
  makePod(pod.metadata.labels?.['ballast.dev/revision'] ?? '', { name: pod.metadata.name ?? '', ...part });

/** Containers of a pod whose model hung four times. */
export const crashed = {
  containers: [
    {
      name: 'serve',
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
      lastState: { terminated: { exitCode: 134, message: 'line before\nmodel hung for 60 s' } },
    },
  ],
};
