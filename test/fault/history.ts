/** What really happened to the ConfigMaps of a world, told by the server itself. */
import type { ConfigMap } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import type { World } from './world.ts';

export interface Step {
  readonly atMs: number;
  readonly type: string;
  readonly name: string;
  readonly owner: string;
}

export interface History {
  readonly steps: readonly Step[];
  created(owner?: string): number;
  deleted(owner?: string): number;
  /** Names that were deleted and made again later. */
  madeAgain(): string[];
  /** How often the number of an owner's children turned from growing to shrinking or back. */
  turns(owner: string): number;
}

/** Follows the children from now on. */
export async function followChildren(world: World): Promise<History> {
  const steps: Step[] = [];
  const { resourceVersion } = world.server.registry.list(resources.configMaps);
  const watch = world.server.registry.watch<ConfigMap>(
    resources.configMaps,
    { labelSelector: 'role=child', resourceVersion },
    ({ type, object }) => {
      const { name = '', ownerReferences } = object.metadata;
      steps.push({ atMs: world.clock.monotonicMs(), type, name, owner: ownerReferences?.[0]?.name ?? '' });
    },
  );
  world.onClose(async () => watch.stop());
  const count = (type: string, owner?: string) =>
    steps.filter((step) => step.type === type && (owner === undefined || step.owner === owner)).length;
  return {
    steps,
    created: (owner) => count('ADDED', owner),
    deleted: (owner) => count('DELETED', owner),
    madeAgain: () => {
      const gone = new Set<string>();
      const again: string[] = [];
      for (const { type, name } of steps) {
        if (type === 'DELETED') gone.add(name);
        else if (type === 'ADDED' && gone.has(name)) again.push(name);
      }
      return again;
    },
    turns: (owner) => {
      const directions = steps
        .filter((step) => step.owner === owner && step.type !== 'MODIFIED')
        .map(({ type }) => type);
      return directions.filter((type, index) => index > 0 && type !== directions[index - 1]).length;
    },
  };
}
