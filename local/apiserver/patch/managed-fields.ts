/** Who owns which field: `metadata.managedFields` decoded, and the sentences about conflicts. */
import type { ManagedFieldsEntry } from '../../../kube/objects.ts';
import { elementText, FieldSet, fieldElement, fieldSetOf, type PathElement } from './field-set.ts';

export interface ManagerInfo {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
}

export interface Managed extends ManagerInfo {
  readonly set: FieldSet;
  readonly time: string | undefined;
}

/** Owners by identity. */
export type Managers = Map<string, Managed>;

/** Identity of an owner; an applier is the same in every version of the API. */
export function managerId(info: ManagerInfo): string {
  return JSON.stringify([
    info.manager,
    info.operation,
    info.operation === 'Apply' ? '' : info.apiVersion,
    info.subresource,
  ]);
}

/** Reads `metadata.managedFields`. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    const info: Managed = {
      manager: entry.manager ?? '',
      operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: entry.apiVersion ?? '',
      subresource: entry.subresource ?? '',
      set: fieldSetOf(entry.fieldsV1),
      time: entry.time,
    };
    managers.set(managerId(info), info);
  }
  return managers;
}

const secondsOf = (time: string | undefined) =>
  time === undefined ? 0 : Math.floor(Date.parse(time) / 1000) || 0;
const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Writes `metadata.managedFields`, in the order in which an API server keeps it. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()]
    .filter((entry) => !entry.set.isEmpty)
    .sort(
      (a, b) =>
        text(a.operation, b.operation) ||
        secondsOf(a.time) - secondsOf(b.time) ||
        text(a.manager, b.manager) ||
        text(a.apiVersion, b.apiVersion) ||
        text(a.subresource, b.subresource),
    )
    .map((entry) => ({
      manager: entry.manager,
      operation: entry.operation,
      apiVersion: entry.apiVersion,
      ...(entry.time === undefined ? {} : { time: entry.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: entry.set.toFieldsV1(),
      ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
    }));
}

const metaFields = [
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'clusterName',
  'generation',
  'managedFields',
  'resourceVersion',
].map(fieldElement);

/** What nobody owns: the object's identity and what the server writes. */
export const unownedSet = FieldSet.of(['apiVersion', 'kind', 'metadata'].map(fieldElement), [
  [fieldElement('metadata'), FieldSet.of(metaFields)],
]);

export interface Conflict {
  readonly owner: Managed;
  readonly path: readonly PathElement[];
}

/** `.spec.containers[name="main"].image` */
function pathText(path: readonly PathElement[]): string {
  return path.map(elementText).join('');
}

function ownerText(owner: Managed): string {
  const name = JSON.stringify(owner.manager);
  const named =
    owner.subresource === '' ? name : `${name} with subresource ${JSON.stringify(owner.subresource)}`;
  return owner.operation === 'Update' ? `${named} using ${owner.apiVersion}` : named;
}

/** Owners are told in the order of what a real server writes of them: by name, then by time, a subresource first. */
function sortText({ manager, operation, apiVersion, time, subresource }: Managed): string {
  const update = operation === 'Apply' ? {} : { apiVersion, time };
  return JSON.stringify({ manager, operation, ...update, ...(subresource === '' ? {} : { subresource }) });
}

export interface ApplyConflict {
  readonly message: string;
  readonly causes: { reason: 'FieldManagerConflict'; message: string; field: string }[];
}

/** The 409 answer to an apply that would take fields from others. */
export function conflictAnswer(conflicts: readonly Conflict[]): ApplyConflict {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict' as const,
    message: `conflict with ${ownerText(owner)}`,
    field: pathText(path),
  }));
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return {
      causes,
      message: `Apply failed with 1 conflict: conflict with ${ownerText(first.owner)}: ${pathText(first.path)}`,
    };
  const byOwner = new Map<string, string[]>();
  for (const { owner, path } of conflicts) {
    const id = sortText(owner);
    byOwner.set(id, [...(byOwner.get(id) ?? [`conflicts with ${ownerText(owner)}:`]), `- ${pathText(path)}`]);
  }
  const lines = [...byOwner].sort(([a], [b]) => text(a, b)).flatMap(([, list]) => list);
  return { causes, message: `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}` };
}
