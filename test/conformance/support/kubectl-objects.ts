/** Manifests that the kubectl cases apply. */

/** A Deployment of two pods on this node. */
export const deployment = (image: string, node: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      nodeName: ${node}
      containers:
      - { name: main, image: "${image}", ports: [{ containerPort: 80, name: http }], env: [{ name: A, value: "1" }] }
`;

/** What a custom kind is called. */
export interface Names {
  readonly kind: string;
  readonly one: string;
  readonly short: string;
  readonly all: string;
}

/** The definition of a custom kind with columns, a rule and a scale. */
export const definitionOf = (group: string, names: Names) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: ${names.one}s.${group} }
spec:
  group: ${group}
  scope: Namespaced
  names: { kind: ${names.kind}, plural: ${names.one}s, singular: ${names.one}, shortNames: [${names.short}], categories: [${names.all}] }
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: { specReplicasPath: .spec.crew, statusReplicasPath: .status.crew }
    additionalPrinterColumns:
    - { name: Crew, type: integer, jsonPath: .spec.crew }
    - { name: Afloat, type: string, jsonPath: '.status.conditions[?(@.type=="Afloat")].status' }
    - { name: Note, type: string, jsonPath: .spec.note, priority: 1 }
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [crew]
            properties:
              crew: { type: integer, minimum: 0, description: How many sail her. }
              note: { type: string, default: none }
            x-kubernetes-validations:
            - { rule: 'self.crew < 10', message: at most nine sail a boat }
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
`;

/** An object of that kind. */
export const boatOf = (group: string, kind: string, crew: unknown, more = '') =>
  `---\n{ apiVersion: ${group}/v1, kind: ${kind}, metadata: { name: ada }, spec: { crew: ${crew}${more} } }`;

/** Status of a container that runs. */
export const runningContainer = {
  name: 'main',
  image: 'i',
  imageID: '',
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: '2026-11-24T10:00:00Z' } },
};
