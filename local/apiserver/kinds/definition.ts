/** Strategy of CustomResourceDefinitions. */
import type { Strategy } from '../kind.ts';
import { isJson, type Json, jsonAt, listAt, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';

function versionFaults(spec: Json): FieldFault[] {
  const versions = listAt(spec, 'versions');
  if (versions.length === 0) return [fault.required('spec.versions')];
  const stored = versions.filter((version) => isJson(version) && version.storage === true);
  const faults: FieldFault[] = [];
  if (stored.length !== 1)
    faults.push(
      fault.invalid('spec.versions', versions, 'must have exactly one version marked as storage version'),
    );
  for (const [index, version] of versions.entries()) {
    const schema = jsonAt(version, 'schema').openAPIV3Schema;
    const field = `spec.versions[${index}].schema.openAPIV3Schema`;
    if (!isJson(schema)) faults.push(fault.required(field, 'schemas are required'));
  }
  return faults;
}

export const definitionStrategy: Strategy = {
  unconditionalUpdate: false,
  deleteFinalizer: 'customresourcecleanup.apiextensions.k8s.io',
  prepareCreate(draft) {
    delete jsonAt(draft, 'spec').preserveUnknownFields;
    const storage = listAt(draft.spec, 'versions').find(
      (version) => isJson(version) && version.storage === true,
    );
    draft.status = {
      conditions: [],
      acceptedNames: { plural: '', kind: '' },
      storedVersions: storage === undefined ? [] : [textAt(storage, 'name')],
    };
  },
  validate(object, old) {
    const spec = jsonAt(object, 'spec');
    const names = jsonAt(spec, 'names');
    const faults: FieldFault[] = [];
    const wanted = `${textAt(names, 'plural')}.${textAt(spec, 'group')}`;
    if (object.metadata.name !== wanted)
      faults.push(
        fault.invalid('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'),
      );
    if (!['Namespaced', 'Cluster'].includes(textAt(spec, 'scope')))
      faults.push(fault.notSupported('spec.scope', textAt(spec, 'scope'), ['Cluster', 'Namespaced']));
    if (textAt(names, 'kind') === '') faults.push(fault.required('spec.names.kind'));
    if (jsonAt(spec, 'conversion').strategy !== 'None')
      faults.push(
        fault.notSupported('spec.conversion.strategy', jsonAt(spec, 'conversion').strategy, ['None']),
      );
    const before = jsonAt(old, 'spec');
    if (old !== undefined)
      for (const field of ['scope', 'group'] as const)
        if (spec[field] !== before[field])
          faults.push(fault.invalid(`spec.${field}`, spec[field], 'field is immutable'));
    return [...faults, ...versionFaults(spec)];
  },
};
