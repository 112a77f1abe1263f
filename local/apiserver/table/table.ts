/** meta.k8s.io/v1 Table: what `kubectl get` prints is decided here. */
import type { Column, Kind } from '../kind.ts';
import type { AnyObject } from '../object.ts';
import { ageSince } from './human.ts';
import { compileJsonPath } from './jsonpath.ts';

interface TableOptions {
  readonly nowMs: number;
  /** What each row carries beside its cells: None, Metadata or Object. */
  readonly include: string;
  /** Column definitions stand in a watch's first table only. */
  readonly withHead: boolean;
}

type Cell = (object: AnyObject, nowMs: number) => unknown;

const cells = new WeakMap<Column, Cell>();
const nameDescription =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

/** A column's cell: computed, or read by its path and shown by its type. */
function cellOf(column: Column): Cell {
  let cell = cells.get(column);
  if (cell === undefined) {
    cell = column.cell ?? pathCell(column);
    cells.set(column, cell);
  }
  return cell;
}

function pathCell(column: Column): Cell {
  const read = compileJsonPath(column.path ?? '');
  const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return (object, nowMs) => {
    const found = read(object).filter((value) => value !== null && value !== undefined);
    const first = found[0];
    if (first === undefined) return null;
    switch (column.type) {
      case 'date':
        return ageSince(first, nowMs);
      case 'integer':
        return typeof first === 'number' ? Math.trunc(first) : null;
      case 'number':
        return typeof first === 'number' ? first : null;
      case 'boolean':
        return typeof first === 'boolean' ? first : null;
      default:
        return asText(first);
    }
  };
}

/** A table of objects of one kind. */
export function tableOf(
  kind: Kind,
  objects: readonly AnyObject[],
  metadata: object,
  options: TableOptions,
): object {
  const columns = kind.columns ?? [];
  // Events are told apart by what they say: their name stands last, in the wide table.
  const isNamed = kind.collection !== 'events';
  const name = { name: 'Name', type: 'string', format: 'name', description: nameDescription, priority: 0 };
  const head = [
    ...(isNamed ? [name] : []),
    ...columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
  ];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.withHead ? head : null,
    rows: objects.map((object) => ({
      cells: [
        ...(isNamed ? [object.metadata.name] : []),
        ...columns.map((column) => cellOf(column)(object, options.nowMs)),
      ],
      ...(options.include === 'None'
        ? {}
        : {
            object:
              options.include === 'Object'
                ? object
                : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
          }),
    })),
  };
}
