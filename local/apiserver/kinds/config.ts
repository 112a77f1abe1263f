/** Strategies of ConfigMaps, Secrets, claims and other kinds with few rules. */
import type { Strategy } from '../kind.ts';
import { type AnyObject, isJson, type Json, jsonAt, listAt, sameJson, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';
import { setDefault } from './pod-defaults.ts';

const keyPattern = /^[-._a-zA-Z0-9]+$/;
const keyText =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const sizeLimitBytes = 1024 * 1024;

const fieldsOf = ['data', 'binaryData'] as const;

function dataFaults(object: AnyObject, old: AnyObject | undefined): FieldFault[] {
  const faults: FieldFault[] = [];
  if (old?.immutable === true) {
    if (object.immutable !== true)
      faults.push(fault.forbidden('immutable', 'field is immutable when `immutable` is set'));
    for (const field of fieldsOf)
      if (!sameJson(object[field] ?? {}, old[field] ?? {}))
        faults.push(fault.forbidden(field, 'field is immutable when `immutable` is set'));
  }
  let bytes = 0;
  for (const field of fieldsOf)
    for (const [key, value] of Object.entries(jsonAt(object, field))) {
      if (!keyPattern.test(key)) faults.push(fault.invalid(`${field}[${key}]`, key, keyText));
      bytes += Buffer.byteLength(String(value));
    }
  if (bytes > sizeLimitBytes * (object.kind === 'Secret' ? 4 / 3 : 1))
    faults.push(fault.tooLong('', sizeLimitBytes));
  return faults;
}

/** Drops empty maps, as the real server's encoding does. */
function dropEmpty(draft: AnyObject): void {
  for (const field of fieldsOf) {
    const value = draft[field];
    if (value === null || (isJson(value) && Object.keys(value).length === 0)) delete draft[field];
  }
}

export const configMapStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate: dropEmpty,
  prepareUpdate: dropEmpty,
  validate: dataFaults,
};

function secretDefaults(draft: AnyObject): void {
  const plain = draft.stringData;
  if (isJson(plain)) {
    const data = { ...jsonAt(draft, 'data') };
    for (const [key, value] of Object.entries(plain))
      data[key] = Buffer.from(String(value)).toString('base64');
    draft.data = data;
  }
  delete draft.stringData;
  if (textAt(draft, 'type') === '') draft.type = 'Opaque';
  dropEmpty(draft);
}

export const secretStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate: secretDefaults,
  prepareUpdate: secretDefaults,
  validate(object, old) {
    const faults = dataFaults(object, old);
    if (old !== undefined && object.type !== old.type)
      faults.push(fault.invalid('type', object.type, 'field is immutable'));
    for (const [key, value] of Object.entries(jsonAt(object, 'data')))
      if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(String(value)))
        faults.push(fault.invalid(`data[${key}]`, '<secret>', 'illegal base64 data'));
    return faults;
  },
};

export const namespaceStrategy: Strategy = {
  generation: 'none',
  nameRule: 'label',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    const labels = { ...draft.metadata.labels, 'kubernetes.io/metadata.name': draft.metadata.name ?? '' };
    draft.metadata.labels = labels;
    draft.spec = { finalizers: ['kubernetes'] };
    draft.status = { phase: 'Active' };
  },
  prepareUpdate(draft, old, context) {
    draft.metadata.labels = {
      ...draft.metadata.labels,
      'kubernetes.io/metadata.name': draft.metadata.name ?? '',
    };
    if (context.subresource !== 'finalize') draft.spec = structuredClone(old.spec);
  },
};

export const claimStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    setDefault(jsonAt(draft, 'spec'), 'volumeMode', 'Filesystem');
    draft.status = { phase: 'Pending' };
  },
  validate(object, old) {
    const faults: FieldFault[] = [];
    const spec = jsonAt(object, 'spec');
    if (listAt(spec, 'accessModes').length === 0)
      faults.push(fault.required('spec.accessModes', 'at least 1 access mode is required'));
    if (jsonAt(jsonAt(spec, 'resources'), 'requests').storage === undefined)
      faults.push(fault.required('spec.resources[storage]'));
    if (old !== undefined) {
      const fixed = ({ resources: _, volumeName: __, ...rest }: Json) => rest;
      if (!sameJson(fixed(spec), fixed(jsonAt(old, 'spec'))))
        faults.push(
          fault.forbidden(
            'spec',
            'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        );
    }
    return faults;
  },
};

export const disruptionBudgetStrategy: Strategy = {
  prepareCreate(draft) {
    draft.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate(object) {
    const spec = jsonAt(object, 'spec');
    return spec.minAvailable !== undefined && spec.maxUnavailable !== undefined
      ? [fault.invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')]
      : [];
  },
};

export const networkPolicyStrategy: Strategy = {
  unconditionalUpdate: true,
  prepareCreate(draft) {
    const spec = jsonAt(draft, 'spec');
    draft.spec = spec;
    setDefault(spec, 'podSelector', {});
    setDefault(spec, 'policyTypes', listAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress']);
    for (const rule of [...listAt(spec, 'ingress'), ...listAt(spec, 'egress')])
      for (const port of listAt(rule, 'ports') as Json[]) setDefault(port, 'protocol', 'TCP');
  },
};

export const endpointSliceStrategy: Strategy = {
  generation: 'all',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    for (const port of listAt(draft, 'ports') as Json[]) {
      setDefault(port, 'name', '');
      setDefault(port, 'protocol', 'TCP');
    }
  },
  validate(object, old) {
    if (old !== undefined && object.addressType !== old.addressType)
      return [fault.invalid('addressType', object.addressType, 'field is immutable')];
    return ['IPv4', 'IPv6', 'FQDN'].includes(String(object.addressType))
      ? []
      : [fault.notSupported('addressType', object.addressType ?? '', ['FQDN', 'IPv4', 'IPv6'])];
  },
};

export const controllerRevisionStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  validate(object, old) {
    return old !== undefined && !sameJson(object.data, old.data)
      ? [fault.invalid('data', '', 'field is immutable')]
      : [];
  },
};

export const priorityClassStrategy: Strategy = {
  unconditionalUpdate: true,
  prepareCreate(draft) {
    setDefault(draft, 'preemptionPolicy', 'PreemptLowerPriority');
    setDefault(draft, 'value', 0);
  },
  validate(object, old) {
    return old !== undefined && object.value !== old.value
      ? [fault.forbidden('value', 'may not be changed in an update.')]
      : [];
  },
};

export const storageClassStrategy: Strategy = {
  generation: 'none',
  unconditionalUpdate: true,
  prepareCreate(draft) {
    setDefault(draft, 'reclaimPolicy', 'Delete');
    setDefault(draft, 'volumeBindingMode', 'Immediate');
  },
};
