/** Who wrote which field: the bridge from requests to `local/apiserver/patch`. */
import type { ManagedFieldsEntry } from '../../kube/objects.ts';
import type { Core } from './core.ts';
import { groupVersionOf, type Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { serverSideApply } from './patch/apply.ts';
import { fieldElement, fieldSetOfPaths } from './patch/field-set.ts';
import { decodeManagers } from './patch/managed-fields.ts';
import { resetFieldsOf } from './patch/managers-update.ts';
import { trackUpdate as track, withManagers } from './patch/update.ts';
import { valueAtPath } from './scale.ts';
import { applyConflict, badRequest, plainError } from './status-error.ts';
import { timestamp } from './time.ts';

function writer(core: Core, kind: Kind, manager: string, subresource: string | undefined) {
  const hasReset = kind.hasStatus || subresource !== undefined;
  return {
    manager,
    apiVersion: groupVersionOf(kind),
    time: timestamp(core.clock),
    resetFields: hasReset ? resetFieldsOf(subresource ?? '', kind.custom) : [],
    ...(subresource === undefined ? {} : { subresource }),
    ...(kind.schema.empty === undefined ? {} : { empty: kind.schema.empty }),
  };
}

/** The object with what this Update writer changed recorded in its managed fields. */
export function trackUpdate(
  core: Core,
  kind: Kind,
  before: AnyObject | undefined,
  after: AnyObject,
  manager: string,
  subresource: string | undefined,
): AnyObject {
  const options = writer(core, kind, manager, subresource);
  if (subresource === 'scale' && before !== undefined && kind.scale !== undefined)
    return trackScale(kind, kind.scale.specReplicasPath, before, after, options);
  return track(kind.schema.raw, before, after, options);
}

/**
 * Owners after a write of /scale, as the real server works them out on the Scale itself: who owns nothing there is not
 * seen, an object without owners stays without, and 0 replicas, which a Scale does not write, belong to nobody.
 */
function trackScale(
  kind: Kind,
  path: string,
  before: AnyObject,
  after: AnyObject,
  options: ReturnType<typeof writer>,
): AnyObject {
  const replicas = fieldSetOfPaths([
    path
      .split('.')
      .filter((name) => name !== '')
      .map(fieldElement),
  ]);
  const live = decodeManagers(before.metadata.managedFields as ManagedFieldsEntry[] | undefined);
  if (![...live.values()].some(({ set }) => !set.intersection(replicas).isEmpty))
    return withManagers(after, live);
  const tracked = track(kind.schema.raw, before, after, options);
  if (Number(valueAtPath(after, path) ?? 0) !== 0) return tracked;
  const owners = decodeManagers(tracked.metadata.managedFields as ManagedFieldsEntry[] | undefined);
  for (const [id, owner] of owners) {
    const set = owner.set.difference(replicas);
    if (set.isEmpty) owners.delete(id);
    else owners.set(id, { ...owner, set });
  }
  return withManagers(tracked, owners);
}

/** Merges an applied configuration into the live object, with ownership and conflicts. */
export function applyConfiguration(
  core: Core,
  kind: Kind,
  live: AnyObject | undefined,
  applied: AnyObject,
  options: { readonly fieldManager?: string; readonly force?: boolean; readonly subresource?: string },
): AnyObject {
  if (applied.metadata.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  const result = serverSideApply<AnyObject>(kind.schema.raw, live, applied, {
    ...writer(core, kind, options.fieldManager ?? '', options.subresource),
    force: options.force ?? false,
  });
  if ('conflict' in result) throw applyConflict(result.conflict.message, result.conflict.causes);
  if ('error' in result) throw plainError(result.error);
  const problem = kind.schema.decodeError(result.object);
  if (problem !== undefined) {
    const type = `${kind.group}/${kind.version}, Kind=${kind.kind}`;
    const { namespace = '', name = '' } = applied.metadata;
    throw plainError(
      `failed to convert new object (${namespace}/${name}; ${type}) to proper version: unable to convert unstructured object to ${type}: error decoding from json: ${withoutHead(problem)}`,
    );
  }
  return result.object;
}

/** A decoding problem without the part that names kind and version. */
export const withoutHead = (problem: string): string =>
  problem.replace(/^.*? cannot be handled as a \w+: /, '');
