/** Whose a child is: only what this very ModelDeployment controls is touched; nothing is ever stolen. */
import { labels, kind as ownerKind } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { Deployment, KubeObject, Pod, ReplicaSet } from '../../kube/objects.ts';
import { managedBy } from './labels.ts';
import type { Children } from './snapshot.ts';

/**
 * | controller owner               | our labels | Ownership                                             |
 * | this ModelDeployment (uid)     | any        | ours                                                  |
 * | one of this name, another uid  | any        | former: the garbage collector takes it, wait          |
 * | somebody else                  | any        | foreign                                               |
 * | none                           | yes        | orphan: adopted (a `--cascade=orphan`, a backup)       |
 * | none                           | no         | foreign                                               |
 */
export type Ownership = 'ours' | 'former' | 'orphan' | 'foreign';

/** Whose `object` is, seen from `deployment`. */
export function ownershipOf(object: KubeObject, deployment: ModelDeployment): Ownership {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const { name, uid } = deployment.metadata;
  if (controller !== undefined) {
    if (controller.uid === uid) return 'ours';
    return controller.kind === ownerKind && controller.name === name ? 'former' : 'foreign';
  }
  const marks = object.metadata.labels ?? {};
  return marks[labels.deployment] === name && marks[labels.managedBy] === managedBy ? 'orphan' : 'foreign';
}

/** For people, as the subject of a sentence: `Service "wine", which belongs to Deployment "shop",`. */
export function holderText(object: KubeObject, kind: string): string {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const owner =
    controller === undefined ? 'Ballast did not make' : `belongs to ${controller.kind} "${controller.name}"`;
  return `${object.kind ?? kind} "${object.metadata.name ?? ''}", which ${owner},`;
}

/** The children that are ours or may be adopted. */
export function ownChildren(children: Children, deployment: ModelDeployment): Children {
  const own = <T extends KubeObject>(objects: readonly T[]) =>
    objects.filter((object) => {
      const ownership = ownershipOf(object, deployment);
      return ownership === 'ours' || ownership === 'orphan';
    });
  return {
    serviceAccounts: own(children.serviceAccounts),
    configMaps: own(children.configMaps),
    controllerRevisions: own(children.controllerRevisions),
    services: own(children.services),
    networkPolicies: own(children.networkPolicies),
    deployments: own(children.deployments),
    podDisruptionBudgets: own(children.podDisruptionBudgets),
  };
}

const controllerUid = (object: KubeObject): string | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true)?.uid;

/** ReplicaSets of our Deployments. */
export const ownReplicaSets = (
  sets: readonly ReplicaSet[],
  deployments: readonly Deployment[],
): readonly ReplicaSet[] => {
  const uids = new Set(deployments.map(({ metadata }) => metadata.uid));
  return sets.filter((set) => controllerUid(set) === undefined || uids.has(controllerUid(set)));
};

/**
 * Pods of our Deployments. A namesake that was deleted a moment ago leaves pods with the same labels, and even of the
 * same revision, that are about to end.
 *
 * | its ReplicaSet             | ours                                              |
 * | belongs to our Deployment  | yes                                               |
 * | belongs to another one     | no                                                |
 * | is not in the cache        | if the pod is not older than the ModelDeployment  |
 */
export function ownPods(
  pods: readonly Pod[],
  sets: readonly ReplicaSet[],
  deployments: readonly Deployment[],
  deployment: ModelDeployment,
): readonly Pod[] {
  const known = new Set(sets.map(({ metadata }) => metadata.uid));
  const own = new Set(ownReplicaSets(sets, deployments).map(({ metadata }) => metadata.uid));
  const since = deployment.metadata.creationTimestamp ?? '';
  return pods.filter((pod) => {
    const set = controllerUid(pod);
    if (set !== undefined && known.has(set)) return own.has(set);
    return (pod.metadata.creationTimestamp ?? since) >= since;
  });
}
