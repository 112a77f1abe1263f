/** Schemas of metadata that every kind shares, in the form that `kubectl explain` reads. */
import type { SchemaNode } from '../../../crds/structural/schema-node.ts';

const text = (description: string): SchemaNode => ({ type: 'string', description });
const texts = (description: string): SchemaNode => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string', default: '' },
});

const ownerReference: SchemaNode = {
  type: 'object',
  description: 'An object that owns this one: it is deleted when all its owners are gone.',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: {
    apiVersion: text('API version of the owner.'),
    kind: text('Kind of the owner.'),
    name: text('Name of the owner.'),
    uid: text('UID of the owner.'),
    controller: { type: 'boolean', description: 'True for the one owner that manages this object.' },
    blockOwnerDeletion: {
      type: 'boolean',
      description: 'With foreground deletion, the owner stays until this object is gone.',
    },
  },
};

export const objectMeta: SchemaNode = {
  type: 'object',
  description: 'Metadata that all persisted objects have.',
  properties: {
    name: text('Name, unique within the namespace and kind. Cannot be updated.'),
    generateName: text('Prefix from which the server makes a unique name when name is absent.'),
    namespace: text('The space within which the name is unique. Cannot be updated.'),
    labels: texts('Keys and values by which objects are organised and selected.'),
    annotations: texts('Keys and values that tools keep on the object; not for selection.'),
    finalizers: {
      type: 'array',
      description: 'Must be empty before the object is removed; each names who is responsible for it.',
      items: { type: 'string', default: '' },
      'x-kubernetes-list-type': 'set',
    },
    ownerReferences: {
      type: 'array',
      description: 'Objects that this one depends on.',
      items: ownerReference,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
    },
    uid: text('Identity of the object in time and space, given by the server. Read-only.'),
    resourceVersion: text('Changes with each write; opaque. Read-only.'),
    generation: {
      type: 'integer',
      format: 'int64',
      description: 'Rises when the desired state changes. Read-only.',
    },
    creationTimestamp: {
      type: 'string',
      format: 'date-time',
      description: 'When the object was created. Read-only.',
    },
    deletionTimestamp: {
      type: 'string',
      format: 'date-time',
      description: 'When deletion was or will be due. Read-only.',
    },
    deletionGracePeriodSeconds: {
      type: 'integer',
      format: 'int64',
      description: 'Seconds the object was given to end gracefully. Read-only.',
    },
    managedFields: {
      type: 'array',
      description: 'Which manager set which fields. Kept by the server.',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
    selfLink: text('Deprecated; no longer set.'),
  },
};
