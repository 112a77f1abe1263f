/** What a pod spec must hold, in a pod or in a template. */
import { type Json, jsonAt, listAt, numberAt, sameJson, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const quantity = /^[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$/;
const quantityText =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Names that must be there, be labels and differ. */
function nameFaults(items: unknown[], path: string): FieldFault[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const name = textAt(item, 'name');
    const field = `${path}[${index}].name`;
    if (name === '') return [fault.required(field)];
    if (!label.test(name)) return [fault.invalid(field, name, labelText)];
    if (seen.has(name)) return [fault.duplicate(field, name)];
    seen.add(name);
    return [];
  });
}

function resourceFaults(container: unknown, path: string): FieldFault[] {
  const resources = jsonAt(container, 'resources');
  return ['limits', 'requests'].flatMap((part) =>
    Object.entries(jsonAt(resources, part)).flatMap(([name, value]) =>
      quantity.test(String(value))
        ? []
        : [fault.invalid(`${path}.resources.${part}[${name}]`, value, quantityText)],
    ),
  );
}

function containerFaults(container: unknown, path: string, volumes: ReadonlySet<string>): FieldFault[] {
  const faults: FieldFault[] = [];
  if (textAt(container, 'image') === '') faults.push(fault.required(`${path}.image`));
  for (const [index, port] of listAt(container, 'ports').entries()) {
    const number = numberAt(port, 'containerPort');
    const field = `${path}.ports[${index}].containerPort`;
    if (number === undefined) faults.push(fault.required(field));
    else if (number < 1 || number > 65_535)
      faults.push(fault.invalid(field, number, 'must be between 1 and 65535, inclusive'));
  }
  for (const [index, variable] of listAt(container, 'env').entries())
    if (textAt(variable, 'name') === '') faults.push(fault.required(`${path}.env[${index}].name`));
  for (const [index, mount] of listAt(container, 'volumeMounts').entries()) {
    const field = `${path}.volumeMounts[${index}]`;
    if (!volumes.has(textAt(mount, 'name')))
      faults.push(fault.notFound(`${field}.name`, textAt(mount, 'name')));
    if (textAt(mount, 'mountPath') === '') faults.push(fault.required(`${field}.mountPath`));
  }
  return [...faults, ...resourceFaults(container, path)];
}

/** Faults of a pod spec at `path`. */
export function podSpecFaults(spec: Json, path: string): FieldFault[] {
  const containers = listAt(spec, 'containers');
  const inits = listAt(spec, 'initContainers');
  const volumes = listAt(spec, 'volumes');
  const names = new Set(volumes.map((volume) => textAt(volume, 'name')));
  const faults = [...nameFaults(volumes, `${path}.volumes`)];
  if (containers.length === 0) faults.push(fault.required(`${path}.containers`));
  for (const [list, items] of [
    ['containers', containers],
    ['initContainers', inits],
  ] as const) {
    faults.push(...nameFaults(items, `${path}.${list}`));
    for (const [index, item] of items.entries())
      faults.push(...containerFaults(item, `${path}.${list}[${index}]`, names));
  }
  const policy = textAt(spec, 'restartPolicy');
  if (!['Always', 'OnFailure', 'Never'].includes(policy))
    faults.push(fault.notSupported(`${path}.restartPolicy`, policy, ['Always', 'OnFailure', 'Never']));
  return faults;
}

/** The part of a running pod's spec that may not change: everything but images, deadlines and added tolerations. */
export function frozenPart(spec: Json): Json {
  const strip = (list: unknown[]) =>
    list.map((item) => {
      const { image: _, resources: __, ...rest } = item as Json;
      return rest;
    });
  const {
    activeDeadlineSeconds: _,
    tolerations: __,
    terminationGracePeriodSeconds: ___,
    nodeName: ____,
    ...rest
  } = spec;
  return {
    ...rest,
    containers: strip(listAt(spec, 'containers')),
    initContainers: strip(listAt(spec, 'initContainers')),
  };
}

/** Faults of a change of a pod's spec. */
export function podUpdateFaults(spec: Json, old: Json): FieldFault[] {
  const moved = textAt(old, 'nodeName') !== '' && old.nodeName !== spec.nodeName;
  if (!moved && sameJson(frozenPart(spec), frozenPart(old))) return [];
  return [
    fault.forbidden(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    ),
  ];
}
