/** Creating an object: the path from a client's body to the store. */
import { randomUUID } from 'node:crypto';
import type { ObjectMeta } from '../../kube/objects.ts';
import {
  type Core,
  checkDecodable,
  checkTypeMeta,
  checkUnknownFields,
  present,
  strategyContext,
  type WriteOptions,
} from './core.ts';
import type { Kind } from './kind.ts';
import { refuseOverCount } from './kinds/quota.ts';
import { trackUpdate } from './managed-fields.ts';
import { generatedName, metadataFaults, tidyMetadata } from './metadata.ts';
import { checkNamespaceForCreate } from './namespace-rules.ts';
import { type AnyObject, freezeJson, isJson, keyOf } from './object.ts';
import { alreadyExists, badRequest, invalid, plainError } from './status-error.ts';

export interface CreateOptions extends WriteOptions {
  readonly namespace?: string;
  /** Set by server-side apply, which has worked out the managed fields itself. */
  readonly managedFieldsDone?: boolean;
}

const attempts = 8;

/** Creates an object and returns it as stored (or as it would be, for a dry run). */
export function createObject(core: Core, kind: Kind, body: AnyObject, options: CreateOptions): AnyObject {
  if (!isJson(body)) throw badRequest('the body is not an object');
  checkTypeMeta(kind, body);
  checkDecodable(kind, body);
  checkUnknownFields(kind, body, options);
  let draft = prepare(core, kind, body, options);
  const context = strategyContext(core, options.dryRun ?? false);
  draft = kind.schema.applyDefaults(kind.schema.prune(draft), options.managedFieldsDone);
  checkNamespaceForCreate(core, kind, draft);
  // Owners are noted before admission adds its fields: nobody owns those.
  if (options.managedFieldsDone !== true)
    draft = trackUpdate(core, kind, undefined, draft, options.fieldManager ?? 'unknown', undefined);
  kind.strategy.admit?.(draft, context);
  refuseOverCount(kind, draft, context);
  kind.strategy.prepareCreate?.(draft, context);
  const faults = [
    ...metadataFaults(draft.metadata, kind),
    ...kind.schema.validate(draft),
    ...(kind.strategy.validate?.(draft, undefined, context) ?? []),
  ];
  if (faults.length > 0) throw invalid(kind, draft.metadata.name ?? '', faults);
  kind.strategy.allocate?.(draft, context);
  return store(core, kind, draft, body, options);
}

function prepare(core: Core, kind: Kind, body: AnyObject, options: CreateOptions): AnyObject {
  // kind, apiVersion and metadata come first, so that a list can cut the first two off the encoded text.
  const draft: AnyObject = { apiVersion: '', kind: '', ...body };
  // Pruning and defaulting copy what lies deeper.
  draft.apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  draft.kind = kind.kind;
  const meta: ObjectMeta = isJson(draft.metadata) ? { ...draft.metadata } : {};
  draft.metadata = meta;
  tidyMetadata(meta);
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== '')
    throw plainError('resourceVersion should not be set on objects to be created');
  if (kind.namespaced) {
    const namespace = options.namespace ?? meta.namespace ?? 'default';
    if (meta.namespace !== undefined && meta.namespace !== '' && meta.namespace !== namespace)
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    meta.namespace = namespace;
  } else {
    if (meta.namespace !== undefined && meta.namespace !== '')
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    delete meta.namespace;
  }
  if ((meta.name ?? '') === '' && (meta.generateName ?? '') !== '')
    meta.name = generatedName(meta.generateName ?? '');
  for (const field of [
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
  ] as const)
    delete meta[field];
  if (options.managedFieldsDone !== true) delete meta.managedFields;
  Reflect.deleteProperty(meta, 'selfLink');
  meta.uid = randomUUID();
  meta.creationTimestamp = strategyContext(core, false).now;
  if (kind.strategy.generation !== 'none') meta.generation = 1;
  if (kind.hasStatus && kind.custom) delete draft.status;
  return draft;
}

function store(core: Core, kind: Kind, draft: AnyObject, body: AnyObject, options: CreateOptions): AnyObject {
  const generates = (body.metadata?.name ?? '') === '' && (draft.metadata.generateName ?? '') !== '';
  for (let attempt = 1; ; attempt++) {
    const name = draft.metadata.name ?? '';
    const key = keyOf(draft.metadata.namespace, name);
    const other = core.storage.get(kind.collection, key);
    if (other !== undefined) {
      if (!generates || attempt === attempts) {
        throw alreadyExists(kind, name, other.metadata.deletionTimestamp !== undefined);
      }
      draft.metadata.name = generatedName(draft.metadata.generateName ?? '');
      continue;
    }
    const stored = kind.toStored?.(draft) ?? draft;
    if (options.dryRun === true) return freezeJson(kind.fromStored?.(stored) ?? stored);
    return present(
      kind,
      core.storage.put(kind.collection, key, (resourceVersion) => {
        stored.metadata.resourceVersion = resourceVersion;
        return stored;
      }),
    );
  }
}
