/** Strategy of CustomResourceDefinitions. */
import type { Strategy } from '../kind.ts';
import { isJson, jsonAt, listAt, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';

/** Held by every definition that is being deleted until its objects are gone. */
export const crdFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export const definitionStrategy: Strategy = {
  unconditionalUpdate: false,
  deleteFinalizer: crdFinalizer,
  prepareCreate(draft) {
    // False is the only value there is; true is refused.
    if (jsonAt(draft, 'spec').preserveUnknownFields === false)
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
  validate(object): FieldFault[] {
    const strategy = jsonAt(jsonAt(object, 'spec'), 'conversion').strategy;
    // Webhooks are not called here, and a conversion that is not done is not accepted either.
    const faults =
      strategy === 'Webhook' ? [fault.notSupported('spec.conversion.strategy', strategy, ['None'])] : [];
    const stored = jsonAt(object, 'status').storedVersions;
    if (Array.isArray(stored) && stored.length === 0)
      faults.push(fault.invalid('status.storedVersions', stored, 'must have at least one stored version'));
    return faults;
  },
};
