/** What every operation on objects works with. */

import type { Clock } from '../../kube/clock.ts';
import type { Catalog } from './catalog.ts';
import type { Kind, StrategyContext } from './kind.ts';
import { type AnyObject, freezeJson, keyOf } from './object.ts';
import { badRequest, notFound } from './status-error.ts';
import type { Storage } from './storage.ts';
import { timestamp } from './time.ts';

export interface Core {
  readonly storage: Storage;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Where cluster addresses start, 0 to 1: two servers on one machine should not give the same ones. */
  readonly addressOffset: number;
}

/** Options of every write. */
export interface WriteOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  /** What happens to fields that the schema does not know; default Ignore for in-process callers. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
  /** Receives what the client should be told beside the answer. */
  readonly warn?: (text: string) => void;
  /** What strict validation finds in the text of the body itself. */
  readonly decodingFaults?: readonly string[];
}

const presented = new WeakMap<AnyObject, Map<Kind, AnyObject>>();

/** A stored object as one version of its kind shows it: converted, and filled with defaults that came later. */
export function present(kind: Kind, stored: AnyObject): AnyObject {
  if (kind.fromStored === undefined) return stored;
  let versions = presented.get(stored);
  if (versions === undefined) {
    versions = new Map();
    presented.set(stored, versions);
  }
  let object = versions.get(kind);
  if (object === undefined) {
    object = freezeJson(kind.fromStored(stored));
    versions.set(kind, object);
  }
  return object;
}

/** What strategies may ask. */
export function strategyContext(core: Core, dryRun: boolean, subresource?: string): StrategyContext {
  return {
    now: timestamp(core.clock),
    dryRun,
    addressOffset: core.addressOffset,
    ...(subresource === undefined ? {} : { subresource }),
    find: (collection, namespace, name) => core.storage.get(collection, keyOf(namespace, name)),
    list: (collection, namespace) => core.storage.list(collection, namespace).map(([, object]) => object),
  };
}

/** The stored object, or a 404. */
export function storedOrThrow(
  core: Core,
  kind: Kind,
  namespace: string | undefined,
  name: string,
): AnyObject {
  const stored = core.storage.get(kind.collection, keyOf(kind.namespaced ? namespace : undefined, name));
  if (stored === undefined) throw notFound(kind, name);
  return stored;
}

/** Refuses a body of another kind or version than the path names. */
export function checkTypeMeta(kind: Kind, body: AnyObject): void {
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  if (body.apiVersion === undefined && body.kind === undefined) return;
  if (body.apiVersion !== apiVersion)
    throw badRequest(
      `the API version in the data (${body.apiVersion ?? ''}) does not match the expected API version (${apiVersion})`,
    );
  if (body.kind !== kind.kind)
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: converting (v1.${body.kind}) to (core.${kind.kind}): unknown conversion`,
    );
}

/** Applies `fieldValidation` to what the client sent. */
export function checkUnknownFields(kind: Kind, body: AnyObject, options: WriteOptions): void {
  const mode = options.fieldValidation ?? 'Ignore';
  if (mode === 'Ignore') return;
  const problems = [
    ...(options.decodingFaults ?? []),
    ...kind.schema.unknownFields(body).map((path) => `unknown field "${path}"`),
  ];
  if (problems.length === 0) return;
  if (mode === 'Warn') for (const problem of problems) options.warn?.(problem);
  else
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(', ')}`,
    );
}

/** A built-in kind's value of the wrong type is a 400, not a 422: the real server cannot even read it. */
export function checkDecodable(kind: Kind, body: AnyObject): void {
  const problem = kind.schema.decodeError(body);
  if (problem !== undefined) throw badRequest(problem);
}
