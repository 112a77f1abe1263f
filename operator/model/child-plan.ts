/** From the children that are to be and the children that are, to what is to be applied and deleted. */
import { annotations, labels } from '../../crds/constants.ts';
import type { KubeObject } from '../../kube/objects.ts';
import type { ApplyAction, DeleteAction } from './actions.ts';
import { isAboutReplicas } from './contest.ts';
import type { DesiredChildren } from './desired/children.ts';
import { differences } from './difference.ts';
import { childHash } from './hash.ts';
import { holderText, ownershipOf } from './ownership.ts';
import { writersOf } from './replicas-writers.ts';
import {
  type ChildKey,
  type ChildKind,
  type Children,
  type Conflict,
  type Contest,
  childKey,
  type Snapshot,
} from './snapshot.ts';

export interface ChildPlan {
  readonly apply: readonly ApplyAction[];
  readonly delete: readonly DeleteAction[];
  readonly conflicts: readonly Conflict[];
  readonly contests: ReadonlyMap<ChildKey, Contest>;
  readonly againAtMs: number | undefined;
}

/** How often a name that somebody else holds is looked at again, when no event tells. */
const conflictEveryMs = 30_000;

/** The object with its hash in an annotation: what tells another's edit from our own change. */
export function withHash(object: KubeObject): { object: KubeObject; hash: string } {
  const hash = childHash(object);
  return {
    hash,
    object: {
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, [annotations.appliedHash]: hash },
      },
    },
  };
}

/**
 * | in the cache | owner   | applied hash | differs | action                                        |
 * | no           | –       | –            | –       | apply, unless its name was just found taken   |
 * | yes          | foreign | any          | any     | ChildConflict                                 |
 * | yes          | former  | any          | any     | wait: the garbage collector takes it          |
 * | yes          | ours    | another      | any     | apply: we want something else now             |
 * | yes          | ours    | the same     | no      | nothing                                       |
 * | yes          | ours    | the same     | yes     | put back, unless it was put back in vain      |
 */
export function planChildren(snapshot: Snapshot, cached: Children, desired: DesiredChildren): ChildPlan {
  const { deployment, memory, nowMs } = snapshot;
  const apply: ApplyAction[] = [];
  const conflicts: Conflict[] = [];
  const contests = new Map<ChildKey, Contest>();
  let againAtMs: number | undefined;
  const again = (atMs: number) => {
    againAtMs = Math.min(againAtMs ?? Number.POSITIVE_INFINITY, atMs);
  };
  const wanted = new Set<string>(desired.keep);

  for (const { kind, object: bare } of desired.children) {
    const key = childKey(kind, bare);
    wanted.add(key);
    const live = (cached[kind] as readonly KubeObject[]).find(
      (object) => object.metadata.name === bare.metadata.name,
    );
    const { object, hash } = withHash(bare);
    if (live === undefined) {
      const known = memory.conflicts.find((conflict) => conflict.child === key);
      if (known !== undefined) {
        conflicts.push(known);
        again(known.atMs + conflictEveryMs);
      }
      if (known === undefined || nowMs >= known.atMs + conflictEveryMs)
        apply.push({
          kind,
          object,
          hash,
          // A child of a revision has the revision's hash in its name: nobody else makes such a name.
          mayBeTaken: bare.metadata.labels?.[labels.revision] === undefined,
          uid: undefined,
          edited: [],
        });
      continue;
    }
    const ownership = ownershipOf(live, deployment);
    if (ownership === 'foreign') {
      conflicts.push({ child: key, holder: holderText(live, kind), atMs: nowMs });
      continue;
    }
    if (ownership === 'former') {
      again(nowMs + conflictEveryMs);
      continue;
    }
    const same = live.metadata.annotations?.[annotations.appliedHash] === hash;
    const fields = same ? differences(object, live) : [];
    if (same && fields.length === 0) continue;
    const editors = isAboutReplicas({ fields }) ? writersOf(live) : [];
    const contest = memory.contested.get(key);
    if (same && contest?.hash === hash) {
      contests.set(key, editors.length === 0 ? contest : { ...contest, writers: editors });
      continue;
    }
    apply.push({
      kind,
      object,
      hash,
      mayBeTaken: false,
      uid: live.metadata.uid,
      edited: fields,
      ...(editors.length === 0 ? {} : { editors }),
    });
  }
  return { apply, delete: unwanted(snapshot, wanted), conflicts, contests, againAtMs };
}

/** Ours and not wanted any more, what depends on others first. */
const deleteOrder: readonly ChildKind[] = [
  'deployments',
  'podDisruptionBudgets',
  'networkPolicies',
  'services',
  'controllerRevisions',
  'configMaps',
  'serviceAccounts',
];

function unwanted({ children, deployment }: Snapshot, wanted: ReadonlySet<string>): DeleteAction[] {
  return deleteOrder.flatMap((kind) =>
    (children[kind] as readonly KubeObject[]).flatMap((object): DeleteAction[] => {
      const { name, uid, resourceVersion, deletionTimestamp } = object.metadata;
      if (name === undefined || uid === undefined || deletionTimestamp !== undefined) return [];
      if (wanted.has(childKey(kind, object))) return [];
      const action = { kind, name, namespace: deployment.metadata.namespace, uid };
      // Whether a Deployment may go was read off its state, so that state must still hold.
      return [
        kind === 'deployments' && resourceVersion !== undefined ? { ...action, resourceVersion } : action,
      ];
    }),
  );
}
