/** Changing an object: optimistic locking, the split between spec and status, generation, no-op writes, finalizers. */

import type { ObjectMeta } from '../../kube/objects.ts';
import {
  type Core,
  checkDecodable,
  checkTypeMeta,
  present,
  storedOrThrow,
  strategyContext,
  type WriteOptions,
} from './core.ts';
import type { Kind } from './kind.ts';
import { trackUpdate } from './managed-fields.ts';
import { keepServerFields, metadataFaults, metadataUpdateFaults, tidyMetadata } from './metadata.ts';
import { type AnyObject, cloneJson, freezeJson, isJson, keyOf, sameJson } from './object.ts';
import { isNoOp } from './patch/update.ts';
import { badRequest, conflict, type FieldFault, fault, invalid, plainError } from './status-error.ts';

export interface UpdateOptions extends WriteOptions {
  readonly subresource?: string;
  /** PUT: some kinds insist on a resourceVersion then. */
  readonly isReplace?: boolean;
  /** PATCH other than apply. */
  readonly isPatch?: boolean;
  /** Set by server-side apply, which has worked out the managed fields itself. */
  readonly managedFieldsDone?: boolean;
}

/** Replaces an object by what `make` returns for the present one; `make` gets a frozen object. */
export function updateObject(
  core: Core,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  make: (old: AnyObject) => AnyObject,
  options: UpdateOptions,
): AnyObject {
  const old = present(kind, storedOrThrow(core, kind, namespace, name));
  const made = make(old);
  checkTypeMeta(kind, made);
  // kind and apiVersion stay first: a list cuts them off the encoded text.
  let draft: AnyObject = { apiVersion: '', kind: '', ...made };
  draft.apiVersion = old.apiVersion ?? '';
  draft.kind = kind.kind;
  checkIdentity(kind, draft, old, name, options);
  // Most writes of a level-triggered controller change nothing: they cost no more than this comparison.
  if (options.dryRun !== true && sameJson(draft, old)) return old;
  const context = strategyContext(core, options.dryRun ?? false, options.subresource);
  tidyMetadata(draft.metadata);
  keepServerFields(draft.metadata, old.metadata);
  const { apiVersion = '', kind: kindName = '', metadata, status } = draft;
  // A status write is a small part of the object: the rest is as it was, and was checked then.
  if (options.subresource === 'status') draft = { apiVersion, kind: kindName, metadata, status };
  checkDecodable(kind, draft);
  draft = kind.schema.applyDefaults(kind.schema.prune(draft), options.managedFieldsDone);
  draft = isolate(kind, draft, old, options.subresource);
  if (options.subresource !== 'status') kind.strategy.prepareUpdate?.(draft, old, context);
  if (options.subresource !== 'status' && changesGeneration(kind, draft, old))
    draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
  const faults = [
    ...metadataUpdateFaults(draft.metadata, old.metadata),
    ...metadataFaults(draft.metadata, kind),
    ...judged(kind, draft, old, options.subresource),
    ...(kind.strategy.validate?.(draft, old, context) ?? []),
  ];
  if (faults.length > 0) throw invalid(kind, name, faults);
  if (options.subresource !== 'status') kind.strategy.allocate?.(draft, context);
  if (options.managedFieldsDone !== true)
    draft = trackUpdate(core, kind, old, draft, options.fieldManager ?? 'unknown', options.subresource);
  return store(core, kind, draft, old, options);
}

/** A custom kind's status is judged by itself: the real server's words leave its name out of the path in a body. */
function judged(kind: Kind, draft: AnyObject, old: AnyObject, subresource: string | undefined): FieldFault[] {
  const faults = kind.schema.validate(draft, old);
  if (!kind.custom || subresource !== 'status') return faults;
  return faults.map((one) => ({ ...one, body: one.body.replace(/\bstatus\.(\S+ in body)/, '$1') }));
}

function checkIdentity(
  kind: Kind,
  draft: AnyObject,
  old: AnyObject,
  name: string,
  options: UpdateOptions,
): void {
  const meta: ObjectMeta = isJson(draft.metadata) ? { ...draft.metadata } : {};
  draft.metadata = meta;
  if ((meta.name ?? '') === '') meta.name = name;
  if (meta.name !== name)
    throw badRequest(`the name of the object (${meta.name}) does not match the name on the URL (${name})`);
  if (kind.namespaced) {
    if ((meta.namespace ?? '') === '') meta.namespace = old.metadata.namespace ?? '';
    if (meta.namespace !== old.metadata.namespace)
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
  }
  const version = meta.resourceVersion ?? '';
  if (version === '' || version === '0') {
    if (options.isReplace === true && options.subresource !== 'scale' && !kind.strategy.unconditionalUpdate)
      throw invalid({ ...kind, kind: kind.plural }, name, [
        fault.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
  } else if (!/^\d+$/.test(version))
    throw plainError(`strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
  else if (version !== old.metadata.resourceVersion) throw conflict(kind, name);
  // A patch that changes the uid is refused as any change of a fixed field; a replace names another object.
  if (options.isPatch !== true && meta.uid !== undefined && meta.uid !== '' && meta.uid !== old.metadata.uid)
    throw conflict(
      kind,
      name,
      `StorageError: invalid object, Code: 4, Key: /registry/${kind.custom ? `${kind.group}/` : ''}${kind.plural}/${keyOf(old.metadata.namespace, name)}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.metadata.uid}`,
    );
  if (meta.uid === '') delete meta.uid;
  if (old.metadata.resourceVersion !== undefined) meta.resourceVersion = old.metadata.resourceVersion;
  if (
    options.managedFieldsDone !== true &&
    meta.managedFields === undefined &&
    old.metadata.managedFields !== undefined
  )
    meta.managedFields = cloneJson(old.metadata.managedFields);
}

/** A write of the object leaves status as it is; a write of /status leaves everything else. */
function isolate(kind: Kind, draft: AnyObject, old: AnyObject, subresource: string | undefined): AnyObject {
  if (subresource === 'status') {
    const result: AnyObject = { ...old, metadata: { ...old.metadata } };
    if (draft.status === undefined) delete result.status;
    else result.status = draft.status;
    const keeps = kind.strategy.statusKeeps ?? 'metadata';
    if (keeps !== 'metadata') {
      if (draft.metadata.annotations === undefined) delete result.metadata.annotations;
      else result.metadata.annotations = draft.metadata.annotations;
      if (draft.metadata.finalizers === undefined) delete result.metadata.finalizers;
      else result.metadata.finalizers = draft.metadata.finalizers;
      if (keeps === 'owners') {
        if (draft.metadata.labels === undefined) delete result.metadata.labels;
        else result.metadata.labels = draft.metadata.labels;
        // The class of a pod's service is worked out once.
        if (isJson(result.status) && isJson(old.status) && old.status.qosClass !== undefined)
          result.status.qosClass ??= old.status.qosClass;
      }
    }
    if (draft.metadata.managedFields !== undefined)
      result.metadata.managedFields = draft.metadata.managedFields;
    return result;
  }
  if (kind.hasStatus) {
    if (old.status === undefined) delete draft.status;
    else draft.status = cloneJson(old.status);
  }
  return draft;
}

function changesGeneration(kind: Kind, draft: AnyObject, old: AnyObject): boolean {
  const part = kind.strategy.generation ?? 'spec';
  if (part === 'none') return false;
  if (part === 'spec') return !sameJson(draft.spec, old.spec);
  if (part === 'spec and annotations')
    return (
      !sameJson(draft.spec, old.spec) ||
      !sameJson(draft.metadata.annotations ?? {}, old.metadata.annotations ?? {})
    );
  const rest = ({ metadata: _, status, ...other }: AnyObject) =>
    kind.hasStatus ? other : { ...other, status };
  return !sameJson(rest(draft), rest(old));
}

function store(core: Core, kind: Kind, draft: AnyObject, old: AnyObject, options: UpdateOptions): AnyObject {
  if (isNoOp(old, draft) && options.dryRun !== true) return old;
  if (options.dryRun === true) return freezeJson(draft);
  const key = keyOf(draft.metadata.namespace, draft.metadata.name ?? '');
  const stored = kind.toStored?.(draft) ?? draft;
  const build = (resourceVersion: string) => {
    stored.metadata.resourceVersion = resourceVersion;
    return stored;
  };
  if (isFinished(kind, draft)) {
    const last = core.storage.remove(kind.collection, key, build);
    return present(kind, last ?? stored);
  }
  return present(kind, core.storage.put(kind.collection, key, build));
}

/** A deleted object whose last finalizer this write took away. */
function isFinished(kind: Kind, draft: AnyObject): boolean {
  const meta = draft.metadata;
  if (meta.deletionTimestamp === undefined || (meta.finalizers?.length ?? 0) > 0) return false;
  if ((meta.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (kind.collection !== 'namespaces') return true;
  const spec = draft.spec;
  return !(isJson(spec) && Array.isArray(spec.finalizers) && spec.finalizers.length > 0);
}
