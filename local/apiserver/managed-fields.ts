/** Who wrote which field: the bridge from requests to `local/apiserver/patch`. */
import type { Core } from './core.ts';
import { groupVersionOf, type Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { serverSideApply } from './patch/apply.ts';
import { resetFieldsOf } from './patch/managers-update.ts';
import { trackUpdate as track } from './patch/update.ts';
import { applyConflict, badRequest, invalid, plainError } from './status-error.ts';
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
  return track(kind.schema.raw, before, after, writer(core, kind, manager, subresource));
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
  if ('invalid' in result) throw invalid(kind, applied.metadata.name ?? '', result.invalid);
  return result.object;
}
