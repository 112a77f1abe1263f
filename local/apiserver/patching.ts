/** Patches of every type, on the object or one of its subresources. */
import { type Core, checkUnknownFields, present } from './core.ts';
import { createObject } from './create.ts';
import type { Kind } from './kind.ts';
import { applyConfiguration } from './managed-fields.ts';
import { type AnyObject, cloneJson, isJson, keyOf } from './object.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patch-bridge.ts';
import { scaleOf, withScale } from './scale.ts';
import { badRequest, notFound, unsupportedMediaType } from './status-error.ts';
import { type UpdateOptions, updateObject } from './update.ts';

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = (typeof patchTypes)[keyof typeof patchTypes];

export interface PatchOptions extends UpdateOptions {
  readonly patchType: PatchType;
  /** Server-side apply: take over what others own. */
  readonly force?: boolean;
}

/** Media types that a kind takes in a PATCH. */
export function acceptedPatchTypes(kind: Kind): PatchType[] {
  return kind.custom
    ? [patchTypes.json, patchTypes.merge, patchTypes.apply]
    : [patchTypes.json, patchTypes.merge, patchTypes.strategic, patchTypes.apply];
}

/** Patches an object; a server-side apply of an absent one creates it. `created` tells which. */
export function patchObject(
  core: Core,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  patch: unknown,
  options: PatchOptions,
): { object: AnyObject; created: boolean } {
  if (!acceptedPatchTypes(kind).includes(options.patchType))
    throw unsupportedMediaType(acceptedPatchTypes(kind));
  if (options.patchType === patchTypes.apply) return applyPatch(core, kind, namespace, name, patch, options);
  const edit = (target: AnyObject): AnyObject => applyEdit(kind, target, patch, options.patchType);
  const make = (old: AnyObject): AnyObject => {
    if (options.subresource === 'scale') return withScale(kind, old, edit(scaleOf(kind, old)));
    const next = edit(old);
    checkUnknownFields(kind, next, options);
    return next;
  };
  return { object: updateObject(core, kind, namespace, name, make, options), created: false };
}

function applyEdit(kind: Kind, target: AnyObject, patch: unknown, type: PatchType): AnyObject {
  const result =
    type === patchTypes.json
      ? jsonPatch(cloneJson(target), patch)
      : type === patchTypes.merge
        ? mergePatch(cloneJson(target), patch)
        : strategicMergePatch(kind.schema.raw, cloneJson(target), patch);
  if (!isJson(result) || !isJson(result.metadata))
    throw badRequest('the patched object is not a Kubernetes object');
  return result as AnyObject;
}

function applyPatch(
  core: Core,
  kind: Kind,
  namespace: string | undefined,
  name: string,
  patch: unknown,
  options: PatchOptions,
): { object: AnyObject; created: boolean } {
  if (!isJson(patch)) throw badRequest('error decoding YAML: the applied configuration is not an object');
  const applied: AnyObject = { ...patch, metadata: isJson(patch.metadata) ? patch.metadata : {} };
  if (options.fieldManager === undefined || options.fieldManager === '')
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  if (options.subresource === 'scale') {
    const make = (old: AnyObject) =>
      withScale(kind, old, mergePatch(cloneJson(scaleOf(kind, old)), applied) as AnyObject);
    return { object: updateObject(core, kind, namespace, name, make, options), created: false };
  }
  checkUnknownFields(kind, applied, options);
  const exists = core.storage.get(kind.collection, keyOf(kind.namespaced ? namespace : undefined, name));
  if (exists === undefined) {
    if (options.subresource !== undefined) throw notFound(kind, name);
    const body = applyConfiguration(core, kind, undefined, applied, options);
    body.metadata.name = name;
    const object = createObject(core, kind, body, {
      ...options,
      fieldValidation: 'Ignore',
      managedFieldsDone: true,
      ...(namespace === undefined ? {} : { namespace }),
    });
    return { object, created: true };
  }
  const make = (old: AnyObject) => applyConfiguration(core, kind, old, applied, options);
  const object = updateObject(core, kind, namespace, name, make, { ...options, managedFieldsDone: true });
  return { object: present(kind, object), created: false };
}
