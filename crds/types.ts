/** TypeScript types of a ModelDeployment as the API server returns it: defaults of the CRD filled in. */
import type { z } from 'zod';
import type { specSchema } from './schema.ts';
import type { ModelDeploymentStatus } from './status.ts';

export type ModelDeploymentSpec = z.output<typeof specSchema>;
export type ModelSpec = ModelDeploymentSpec['model'];
export type RuntimeSpec = NonNullable<ModelDeploymentSpec['runtime']>;
export type ContractSpec = NonNullable<ModelDeploymentSpec['contract']>;

export interface ModelDeploymentMeta {
  name: string;
  namespace: string;
  uid: string;
  resourceVersion: string;
  generation: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  /** Of these, the operator's caches keep the owners of `spec.scaling.replicas`. */
  managedFields?: FieldsOwner[];
}

/** Who wrote which fields, as the API server keeps it. */
export interface FieldsOwner {
  manager?: string;
  operation?: 'Apply' | 'Update';
  time?: string;
  subresource?: string;
  fieldsV1?: Record<string, unknown>;
}

export interface ModelDeployment {
  apiVersion: string;
  kind: string;
  metadata: ModelDeploymentMeta;
  spec: ModelDeploymentSpec;
  status?: ModelDeploymentStatus;
}
