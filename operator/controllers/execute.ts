/** A Plan's children become API calls, one after the other. */
import { fieldManagers, labels } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeApi } from '../../kube/api.ts';
import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isInvalid,
  isNotFound,
  isOfThisWrite,
} from '../../kube/errors.ts';
import { messageOf } from '../../kube/log.ts';
import type { Observer } from '../../kube/metrics.ts';
import type { KubeObject } from '../../kube/objects.ts';
import { missingRule, ruleRemedy, ruleText } from '../../kube/rbac.ts';
import type { ResourceType } from '../../kube/resource.ts';
import type { ApplyAction, DeleteAction } from '../model/actions.ts';
import type { Restoration } from '../model/contest.ts';
import { differences } from '../model/difference.ts';
import { holderText, ownershipOf } from '../model/ownership.ts';
import { quotaWords } from '../model/pods.ts';
import { type ChildKey, type Conflict, childKey, type Fault, type Refusal } from '../model/snapshot.ts';
import { childType, rbacName } from './kinds.ts';

export interface Outcome {
  /** Children applied in a new form. */
  readonly applied: readonly ChildKey[];
  /** Children whose edits were put back, or whose answer came back changed. */
  readonly restored: readonly (Restoration & { readonly child: ChildKey })[];
  readonly conflicts: readonly Conflict[];
  readonly refusal: Refusal | undefined;
  /** The passing fault that stopped the execution, where it is the child's and is worth telling once it lasts. */
  readonly fault: Omit<Fault, 'sinceMs'> | undefined;
  /** What stopped the execution; undefined when it went through. */
  readonly error: unknown;
}

export interface ExecuteTools {
  readonly api: KubeApi;
  readonly observer: Observer;
  /** Wall clock. */
  readonly nowMs: () => number;
  /** Tells read-your-own-writes what was written for the object that is reconciled. */
  readonly wrote: (type: ResourceType, object: KubeObject) => void;
  readonly deleted: (type: ResourceType, object: KubeObject) => void;
  readonly signal: AbortSignal;
}

/**
 * Applies and deletes children in order. It rejects never: what went wrong is part of the outcome.
 *
 * | what failed                         | what is still done                                          |
 * | a passing fault                     | nothing                                                     |
 * | a child of one revision is refused  | all but the further children of this revision               |
 * | another child is refused            | no further child is applied                                 |
 *
 * So a bad candidate never keeps the revision that serves from being scaled, and after any refusal what is not wanted any
 * more goes: it may be what fills the quota.
 */
export async function executeChildren(
  deployment: ModelDeployment,
  plan: { readonly apply: readonly ApplyAction[]; readonly delete: readonly DeleteAction[] },
  tools: ExecuteTools,
): Promise<Outcome> {
  const applied: ChildKey[] = [];
  const restored: (Restoration & { child: ChildKey })[] = [];
  const conflicts: Conflict[] = [];
  let refusal: Refusal | undefined;
  let fault: Outcome['fault'];
  let error: unknown;
  const refusedRevisions = new Set<string>();
  for (const action of plan.apply) {
    const revision = action.object.metadata.labels?.[labels.revision];
    if (revision !== undefined && refusedRevisions.has(revision)) continue;
    const result = await applyChild(deployment, action, tools);
    if ('error' in result) {
      error ??= result.error;
      refusal ??= result.refusal;
      ({ fault } = result);
      if (result.refusal === undefined) return { applied, restored, conflicts, refusal, fault, error };
      if (revision === undefined) break;
      refusedRevisions.add(revision);
    } else if ('conflict' in result) conflicts.push(result.conflict);
    else {
      const child = childKey(action.kind, action.object);
      const { mutated } = result;
      if (action.edited.length === 0) applied.push(child);
      if (action.edited.length > 0 || mutated.length > 0)
        restored.push({
          child,
          hash: action.hash,
          fields: mutated.length > 0 ? mutated : action.edited,
          atMs: tools.nowMs(),
          mutatedAtOnce: mutated.length > 0,
        });
    }
  }
  for (const action of plan.delete) {
    const type = childType(action.kind);
    try {
      await deleteChild(type, action, tools);
    } catch (failed) {
      error ??= failed;
      const went = whatFailed(failed, 'delete', type, `${action.kind}/${action.name}`);
      refusal ??= went.refusal;
      ({ fault } = went);
      break;
    }
  }
  return { applied, restored, conflicts, refusal, fault, error };
}

/**
 * The API server hands out cluster IPs one at a time, each with a request to itself: where a fleet comes at once, a new
 * Service waits for all before it. Given up early, it would have to queue again.
 */
const newServiceTimeoutMs = 30_000;

type Applied =
  | { readonly mutated: readonly string[] }
  | { readonly conflict: Conflict }
  | ({ readonly error: unknown } & Pick<Outcome, 'refusal' | 'fault'>);

async function applyChild(
  deployment: ModelDeployment,
  action: ApplyAction,
  tools: ExecuteTools,
): Promise<Applied> {
  const child = childKey(action.kind, action.object);
  const type = childType(action.kind);
  let verb = 'patch';
  const apply = (object: KubeObject) =>
    tools.api.apply(type, object, {
      fieldManager: fieldManagers.operator,
      force: true,
      signal: tools.signal,
      ...(action.kind === 'services' && action.uid === undefined ? { timeoutMs: newServiceTimeoutMs } : {}),
    });
  try {
    let answer = action.mayBeTaken
      ? await unlessThere(() => apply(absent(action)))
      : await apply(withUid(action));
    if (answer === undefined) {
      verb = 'list';
      const holder = await holderOf(type, action.object, tools);
      const ownership = holder === undefined ? 'ours' : ownershipOf(holder, deployment);
      if (holder !== undefined && ownership === 'foreign')
        return { conflict: { child, holder: holderText(holder, type.kind), atMs: tools.nowMs() } };
      // The garbage collector still has the namesake's child in hand: its end wakes us.
      if (ownership === 'former') throw new Error(`${child} of a deleted namesake still exists`);
      verb = 'patch';
      answer = await apply(withUid(action));
    }
    tools.observer.count('writes_total', { kind: type.kind, verb: 'apply' });
    tools.wrote(type, answer);
    return { mutated: differences(action.object, answer) };
  } catch (error) {
    return { error, ...whatFailed(error, verb, type, child) };
  }
}

/**
 * A version that no object ever has. The server holds an applied version against the object that is there, and lets it
 * be where there is none: an apply with this one makes an object and touches none.
 */
const noVersion = '1';

const absent = ({ object }: ApplyAction): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: noVersion },
});

/** What the write brought; undefined where it was refused because something is there. */
async function unlessThere<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/** The uid is a precondition: where the object went away meanwhile, the server answers 409 and the next run makes a new one. */
const withUid = ({ object, uid }: ApplyAction): KubeObject =>
  uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } };

/** Who has the name that was to be used: caches hold only what carries our label. */
async function holderOf(
  type: ResourceType,
  object: KubeObject,
  { api, signal }: ExecuteTools,
): Promise<KubeObject | undefined> {
  const { name = '', namespace = '' } = object.metadata;
  const { items } = await api.list<KubeObject>(type, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
  });
  return items[0];
}

async function deleteChild(
  type: ResourceType,
  { name, namespace, uid, resourceVersion }: DeleteAction,
  tools: ExecuteTools,
): Promise<void> {
  try {
    await tools.api.delete(
      type,
      { name, namespace },
      {
        uid,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        propagationPolicy: 'Background',
        signal: tools.signal,
      },
    );
    tools.observer.count('writes_total', { kind: type.kind, verb: 'delete' });
    tools.deleted(type, { metadata: { name, namespace, uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Either a refusal, or a fault that may pass, or neither. */
function whatFailed(
  error: unknown,
  verb: string,
  type: ResourceType,
  child: ChildKey,
): Pick<Outcome, 'refusal' | 'fault'> {
  const refusal = refusalOf(error, verb, type, child);
  if (refusal !== undefined || !isOfThisWrite(error)) return { refusal, fault: undefined };
  return { refusal, fault: { verb, resource: rbacName(type), child, message: messageOf(error) } };
}

/** A refusal that waiting does not heal; undefined for everything that a later try may pass. */
function refusalOf(error: unknown, verb: string, type: ResourceType, child: ChildKey): Refusal | undefined {
  const message = messageOf(error);
  const refusal = { verb, resource: rbacName(type), child, message };
  if (isForbidden(error)) {
    if (/is being terminated/.test(message)) return undefined;
    if (quotaWords.test(message)) return { ...refusal, kind: 'QuotaExceeded' };
    const rule = missingRule(error);
    const permission = rule === undefined ? undefined : `${ruleText(rule)}: ${ruleRemedy(rule)}`;
    return { ...refusal, kind: 'Forbidden', permission };
  }
  return isInvalid(error) && !isAlreadyExists(error) ? { ...refusal, kind: 'Invalid' } : undefined;
}
