/** Deleting: preconditions, propagation policies, finalizers, graceful pods. */
import { type Core, present, storedOrThrow } from './core.ts';
import type { Kind } from './kind.ts';
import { type AnyObject, cloneJson, freezeJson, jsonAt, keyOf, listAt, numberAt, textAt } from './object.ts';
import { badRequest, conflict, fault, forbidden, invalid } from './status-error.ts';

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: PropagationPolicy;
  /** The older spelling of Orphan (true) and Background (false). */
  readonly orphanDependents?: boolean;
  readonly gracePeriodSeconds?: number;
  readonly dryRun?: boolean;
}

export interface Deletion {
  /** True when the object is gone, false when finalizers or a grace period hold it. */
  readonly gone: boolean;
  readonly object: AnyObject;
}

const protectedNamespaces = new Set(['default', 'kube-public', 'kube-system']);
const gcFinalizers = { orphan: 'orphan', foreground: 'foregroundDeletion' };

/** Deletes an object or marks it as being deleted. */
export function deleteObject(
  core: Core,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  options: DeleteOptions,
): Deletion {
  const stored = storedOrThrow(core, kind, namespace, name);
  checkOptions(options);
  if (kind.collection === 'namespaces' && protectedNamespaces.has(name))
    throw forbidden(kind, name, 'this namespace may not be deleted');
  checkPreconditions(kind, name, stored, options);
  const draft = cloneJson(stored);
  const finalizers = wantedFinalizers(stored, options);
  const extra = kind.strategy.deleteFinalizer;
  // Once deletion runs, whoever works the finalizer off must not get it back.
  if (extra !== undefined && stored.metadata.deletionTimestamp === undefined && !finalizers.includes(extra))
    finalizers.push(extra);
  if (finalizers.length > 0) draft.metadata.finalizers = finalizers;
  else delete draft.metadata.finalizers;
  const graceSeconds = graceOf(kind, stored, options);
  const waits = finalizers.length > 0 || graceSeconds > 0 || holdsNamespace(kind, stored);
  const deleting = stored.metadata.deletionTimestamp !== undefined;
  if (waits && deleting) {
    const shorter = graceSeconds < (stored.metadata.deletionGracePeriodSeconds ?? 0);
    const sameFinalizers = finalizers.join() === (stored.metadata.finalizers ?? []).join();
    if (!shorter && sameFinalizers) return { gone: false, object: present(kind, stored) };
    if (shorter) setDeletion(core, draft, graceSeconds);
  } else if (waits) {
    setDeletion(core, draft, graceSeconds);
    if (draft.metadata.generation !== undefined) draft.metadata.generation++;
    if (kind.collection === 'namespaces') draft.status = { ...jsonAt(draft, 'status'), phase: 'Terminating' };
  }
  if (kind.collection === 'pods' && !deleting && !waits) {
    // A pod dies gracefully even where that takes no time.
    setDeletion(core, draft, 0);
    draft.metadata.generation = (stored.metadata.generation ?? 0) + 1;
  }
  if (options.dryRun === true) return { gone: !waits, object: present(kind, freezeJson(draft)) };
  const key = keyOf(stored.metadata.namespace, name);
  const build = (resourceVersion: string) => {
    draft.metadata.resourceVersion = resourceVersion;
    return draft;
  };
  if (waits) return { gone: false, object: present(kind, core.storage.put(kind.collection, key, build)) };
  const last = core.storage.remove(kind.collection, key, build) ?? stored;
  return { gone: true, object: present(kind, last) };
}

function setDeletion(core: Core, draft: AnyObject, graceSeconds: number): void {
  const at = new Date(core.clock.now() + graceSeconds * 1000);
  draft.metadata.deletionTimestamp = `${at.toISOString().slice(0, 19)}Z`;
  draft.metadata.deletionGracePeriodSeconds = graceSeconds;
}

function checkOptions(options: DeleteOptions): void {
  const type = { group: 'meta.k8s.io', plural: 'deleteoptions', kind: 'DeleteOptions' };
  const policy: string | undefined = options.propagationPolicy;
  if (policy !== undefined && !['Background', 'Foreground', 'Orphan'].includes(policy))
    throw invalid(type, '', [
      fault.notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']),
    ]);
  if (policy !== undefined && options.orphanDependents !== undefined)
    throw invalid(type, '', [
      fault.invalid(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    ]);
  if (options.gracePeriodSeconds !== undefined && !Number.isInteger(options.gracePeriodSeconds))
    throw badRequest('gracePeriodSeconds must be a whole number');
}

function checkPreconditions(kind: Kind, name: string, stored: AnyObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = stored.metadata;
  if (options.uid !== undefined && options.uid !== uid)
    throw conflict(
      { group: kind.group, plural: kind.kind, kind: kind.kind },
      name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw conflict(
      { group: kind.group, plural: kind.kind, kind: kind.kind },
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
}

function wantedFinalizers(stored: AnyObject, options: DeleteOptions): string[] {
  const own = stored.metadata.finalizers ?? [];
  const others = own.filter((f) => f !== gcFinalizers.orphan && f !== gcFinalizers.foreground);
  const policy =
    options.propagationPolicy ??
    (options.orphanDependents === undefined ? undefined : options.orphanDependents ? 'Orphan' : 'Background');
  if (policy === undefined) return [...own];
  if (policy === 'Orphan') return [...others, gcFinalizers.orphan];
  if (policy === 'Foreground') return [...others, gcFinalizers.foreground];
  return others;
}

/** Only pods die gracefully, and only those that a node holds and that still run. */
function graceOf(kind: Kind, stored: AnyObject, options: DeleteOptions): number {
  if (kind.collection !== 'pods') return 0;
  const phase = textAt(stored.status, 'phase');
  if (textAt(stored.spec, 'nodeName') === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = numberAt(stored.spec, 'terminationGracePeriodSeconds') ?? 30;
  const asked = options.gracePeriodSeconds ?? own;
  const running = stored.metadata.deletionGracePeriodSeconds;
  if (options.gracePeriodSeconds === undefined && running !== undefined) return running;
  // A negative period means "as soon as possible" to the real server.
  return asked < 0 ? 1 : asked;
}

function holdsNamespace(kind: Kind, stored: AnyObject): boolean {
  return kind.collection === 'namespaces' && listAt(stored.spec, 'finalizers').length > 0;
}
