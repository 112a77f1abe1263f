/** Patches of every type, on the object or one of its subresources. */
import { goJson } from '../../crds/structural/field-error.ts';
import { type Core, checkUnknownFields, present } from './core.ts';
import { createObject } from './create.ts';
import type { Kind } from './kind.ts';
import { applyConfiguration, withoutHead } from './managed-fields.ts';
import { type AnyObject, cloneJson, isJson, keyOf } from './object.ts';
import { goText } from './patch/patch-fault.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './patch-bridge.ts';
import { scaleOf, withScale } from './scale.ts';
import { badRequest, conflict, fault, invalid, notFound, unsupportedMediaType } from './status-error.ts';
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
function acceptedPatchTypes(kind: Kind): PatchType[] {
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
  checkPatchOptions(options);
  if (options.patchType === patchTypes.apply) return applyPatch(core, kind, namespace, name, patch, options);
  const edit = (target: AnyObject): AnyObject => applyEdit(kind, target, patch, options.patchType);
  const make = (old: AnyObject): AnyObject => {
    if (options.subresource === 'scale') return withScale(kind, old, edit(scaleOf(kind, old)));
    const next = edit(old);
    checkPatchedTypes(kind, next, patch, options.patchType);
    checkPatchedFields(kind, next, patch, options);
    return next;
  };
  const object = updateObject(core, kind, namespace, name, make, { ...options, isPatch: true });
  return { object, created: false };
}

const patchOptionsType = { group: 'meta.k8s.io', plural: 'patchoptions', kind: 'PatchOptions' };

function checkPatchOptions(options: PatchOptions): void {
  const isApply = options.patchType === patchTypes.apply;
  if (isApply && (options.fieldManager ?? '') === '')
    throw invalid(patchOptionsType, '', [fault.required('fieldManager', 'is required for apply patch')]);
  if (!isApply && options.force !== undefined)
    throw invalid(patchOptionsType, '', [
      fault.forbidden('force', 'may not be specified for non-apply patch'),
    ]);
}

const noType = { group: '', plural: '', kind: '' };

/** A patch whose result cannot be read is, unlike such a body, a 422 about the patch. */
function checkPatchedTypes(kind: Kind, next: AnyObject, patch: unknown, type: PatchType): void {
  if (kind.schema.decodeError(next) === undefined) return;
  // The real server reads what it has written from a map: the first problem is that of the first name.
  const problem = kind.schema.decodeError(JSON.parse(goJson(next)) as AnyObject) ?? '';
  const words = withoutHead(problem);
  throw invalid(noType, '', [
    type === patchTypes.strategic
      ? fault.invalid('patch', goText(patch), `error decoding from json: ${words}`)
      : fault.invalid('patch', JSON.stringify(next), words),
  ]);
}

/** Unknown fields that a patch brings are, under Strict, a 422 about the patch. */
function checkPatchedFields(kind: Kind, next: AnyObject, patch: unknown, options: PatchOptions): void {
  if (options.fieldValidation !== 'Strict') {
    checkUnknownFields(kind, next, options);
    return;
  }
  const unknown = kind.schema.unknownFields(next).map((path) => `unknown field "${path}"`);
  if (unknown.length > 0)
    throw invalid(noType, '', [
      fault.invalid('patch', JSON.stringify(patch), `strict decoding error: ${unknown.join(', ')}`),
    ]);
}

function applyEdit(kind: Kind, target: AnyObject, patch: unknown, type: PatchType): AnyObject {
  const result =
    type === patchTypes.json
      ? jsonPatch(cloneJson(target), patch)
      : type === patchTypes.merge
        ? mergePatch(cloneJson(target), patch)
        : strategicMergePatch(kind.schema.raw, cloneJson(target), patch);
  if (!isJson(result)) throw badRequest('the patched object is not a Kubernetes object');
  if (!isJson(result.metadata) && type !== patchTypes.strategic)
    checkPatchedTypes(kind, result as unknown as AnyObject, patch, type);
  if (!isJson(result.metadata)) {
    const { name = '' } = target.metadata;
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
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
  if (applied.apiVersion === undefined || applied.kind === undefined)
    throw badRequest(
      `Object '${applied.kind === undefined ? 'Kind' : 'apiVersion'}' is missing in '${JSON.stringify(patch)}'`,
    );
  if (applied.metadata.name !== undefined && applied.metadata.name !== name)
    throw badRequest(
      `the name of the object (${applied.metadata.name}) does not match the name on the URL (${name})`,
    );
  if (options.subresource === 'scale') {
    const make = (old: AnyObject) =>
      withScale(kind, old, mergePatch(cloneJson(scaleOf(kind, old)), applied) as AnyObject);
    return { object: updateObject(core, kind, namespace, name, make, options), created: false };
  }
  const exists = core.storage.get(kind.collection, keyOf(kind.namespaced ? namespace : undefined, name));
  if (exists === undefined) {
    if (options.subresource !== undefined) throw notFound(kind, name);
    const { uid } = applied.metadata;
    // An applied uid is a precondition: an object that was deleted meanwhile is not made again by mistake.
    if (uid !== undefined && uid !== '')
      throw conflict(
        kind,
        name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    const body = applyConfiguration(core, kind, undefined, applied, options);
    body.metadata.name = name;
    delete body.metadata.resourceVersion;
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
