/** What the server knows of one kind in one version: names, rules, schema, columns. */

import type { SchemaNode } from '../../crds/structural/schema-node.ts';
import type { ResourceType } from '../../kube/resource.ts';
import type { AnyObject, Json } from './object.ts';
import type { FieldFault } from './status-error.ts';

/** Where `/scale` reads and writes inside the object. */
export interface ScalePaths {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** One printer column; `path` is a JSONPath, `cell` computes what a path cannot. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly path?: string;
  readonly cell?: (object: AnyObject, nowMs: number) => unknown;
}

/** Schema work on objects of one kind. */
export interface KindSchema {
  /** The OpenAPI v3 schema itself, for merges and for `kubectl explain`. */
  readonly raw: SchemaNode;
  /** Paths of fields that the schema does not know. */
  unknownFields(object: AnyObject): string[];
  /** A copy without unknown fields. */
  prune(object: AnyObject): AnyObject;
  /** A copy with defaults filled in; nulls that a server-side apply left may be kept, for the checks to name. */
  applyDefaults(object: AnyObject, keepNulls?: boolean): AnyObject;
  /** The object without content as the real server writes it: what a new object's owners are told apart from. */
  readonly empty?: Json | undefined;
  /** Why the object cannot be read into the kind at all, for a 400. */
  decodeError(object: AnyObject): string | undefined;
  /** Broken rules: types, bounds and, when those hold, CEL. */
  validate(object: AnyObject, old?: AnyObject): FieldFault[];
}

/** What a strategy may ask while it prepares or checks an object. */
export interface StrategyContext {
  /** Wall time as a Kubernetes timestamp. */
  readonly now: string;
  readonly dryRun: boolean;
  readonly addressOffset: number;
  /** The subresource that is written, e.g. scale. */
  readonly subresource?: string;
  find(collection: string, namespace: string | undefined, name: string): AnyObject | undefined;
  list(collection: string, namespace?: string): AnyObject[];
}

/** Rules of one kind beside its schema. Drafts are writable; old objects are frozen. */
export interface Strategy {
  prepareCreate?(draft: AnyObject, context: StrategyContext): void;
  prepareUpdate?(draft: AnyObject, old: AnyObject, context: StrategyContext): void;
  validate?(object: AnyObject, old: AnyObject | undefined, context: StrategyContext): FieldFault[];
  /** What admission plugins do to a new object: they add fields or refuse it with an error of their own. */
  admit?(draft: AnyObject, context: StrategyContext): void;
  /** Gives a valid object what only the server can give; nobody owns these fields. */
  allocate?(draft: AnyObject, context: StrategyContext): void;
  /** A finalizer that every deletion adds, for kinds whose deletion is work. */
  readonly deleteFinalizer?: string;
  /** The part whose change raises metadata.generation; default `spec`. */
  readonly generation?: 'spec' | 'spec and annotations' | 'none' | 'all';
  /** Metadata that a write of /status may not change. Default: everything. */
  readonly statusKeeps?: 'metadata' | 'labels' | 'owners';
  /** Default DNS-1123 subdomain. */
  readonly nameRule?: 'subdomain' | 'label' | 'label-1035' | 'path';
  /** A PUT without resourceVersion is accepted. */
  readonly unconditionalUpdate?: boolean;
  /** A PUT of an absent object creates it. */
  readonly createOnUpdate?: boolean;
}

export interface Kind extends ResourceType {
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Name of the storage collection; versions and aliases of a kind share one. */
  readonly collection: string;
  readonly hasStatus: boolean;
  readonly scale?: ScalePaths;
  /** Subresources beside status and scale: name → kind it speaks. */
  readonly subresources: Readonly<
    Record<string, { kind: string; group?: string; version?: string; verbs: readonly string[] }>
  >;
  /** True for kinds that a CRD defines. */
  readonly custom: boolean;
  /** Every answer of a deprecated version carries this warning. */
  readonly deprecation?: string;
  readonly strategy: Strategy;
  readonly fieldSelectors: readonly string[];
  readonly columns?: readonly Column[];
  readonly schema: KindSchema;
  /** Turns a stored object into this version; absent when they are the same. */
  readonly fromStored?: (object: AnyObject) => AnyObject;
  /** Turns an object of this version into the stored form. */
  readonly toStored?: (object: AnyObject) => AnyObject;
}

/** `group/version` or `v1`. */
export const groupVersionOf = (kind: { group: string; version: string }): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;

/** Verbs of an ordinary kind. */
export const allVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;
