/** meta.k8s.io/v1 Table: what `kubectl get` prints is decided here. */
import type { Column, Kind } from '../kind.ts';
import type { AnyObject } from '../object.ts';

export interface TableOptions {
  readonly nowMs: number;
  readonly include: string;
  readonly withHead: boolean;
}

/** A table of objects of one kind. */
export function tableOf(
  kind: Kind,
  objects: readonly AnyObject[],
  metadata: object,
  options: TableOptions,
): object {
  const columns: readonly Column[] = kind.columns ?? [];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.withHead
      ? [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }, ...columns]
      : [],
    rows: objects.map((object) => ({
      cells: [object.metadata.name],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}
