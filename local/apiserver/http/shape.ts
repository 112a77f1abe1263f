/** Objects in other forms: metadata only, and tables with the columns that kubectl prints. */

import type { Kind } from '../kind.ts';
import type { AnyObject } from '../object.ts';
import type { ListResult } from '../read.ts';
import type { Registry } from '../registry.ts';
import { tableOf } from '../table/table.ts';
import type { Wanted } from './accept.ts';
import { compact } from './query.ts';

interface Shape {
  object(object: AnyObject): object;
  list(list: ListResult): object;
  event(object: AnyObject, first: boolean): object;
}

const metadataOf = (object: AnyObject) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});

/** How to shape objects for a client; undefined when it wants them as they are. */
export function shapeFor(
  exchange: { kind: Kind; query: URLSearchParams; registry: Registry },
  wanted: Wanted,
): Shape | undefined {
  const { kind, query, registry } = exchange;
  if (wanted.as === 'object') return undefined;
  const listMeta = (list: ListResult) =>
    compact({
      resourceVersion: list.resourceVersion,
      continue: list.continue,
      remainingItemCount: list.remainingItemCount,
    });
  if (wanted.as === 'metadata')
    return {
      object: metadataOf,
      event: metadataOf,
      list: (list) => ({
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata: listMeta(list),
        items: list.items.map(metadataOf),
      }),
    };
  const include = query.get('includeObject') ?? 'Metadata';
  const table = (objects: readonly AnyObject[], metadata: object, withHead: boolean) =>
    tableOf(kind, objects, metadata, { nowMs: registry.core.clock.now(), include, withHead });
  return {
    object: (object) => table([object], { resourceVersion: object.metadata.resourceVersion }, true),
    event: (object, first) => table([object], { resourceVersion: object.metadata.resourceVersion }, first),
    list: (list) => table(list.items, listMeta(list), true),
  };
}
