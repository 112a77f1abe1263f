/** Objects of built-in kinds and what a real kube-apiserver 1.36 says about them; replayed here and against a real one. */
import type { KubeObject } from '../../../../kube/objects.ts';

export interface BuiltInCase {
  /** Sentence that names the test. */
  readonly name: string;
  readonly object: KubeObject & Record<string, unknown>;
  /** Messages of the causes (`field: body`) in any order; `decode` is the whole message of a 400. Empty: accepted. */
  readonly errors: readonly string[];
  readonly decode?: string;
}

type Draft = Record<string, unknown>;
type Edit = (draft: { metadata: Draft; spec: Draft; template: Draft; pod: Draft; container: Draft }) => void;

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const qualified =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

function deployment(edit: Edit): BuiltInCase['object'] {
  const container: Draft = { name: 'c', image: 'x' };
  const pod: Draft = { containers: [container] };
  const template: Draft = { metadata: { labels: { a: 'b' } }, spec: pod };
  const spec: Draft = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template };
  const metadata: Draft = { name: 'd' };
  edit({ metadata, spec, template, pod, container });
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec } as BuiltInCase['object'];
}

const of = (name: string, edit: Edit, ...errors: string[]): BuiltInCase => ({
  name,
  object: deployment(edit),
  errors,
});
const decode = (name: string, edit: Edit, text: string): BuiltInCase => ({
  name,
  object: deployment(edit),
  errors: [],
  decode: `Deployment in version "v1" cannot be handled as a Deployment: ${text}`,
});
const into = (what: string, field: string, type: string) =>
  `json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`;
const c0 = 'spec.template.spec.containers[0]';

export const deploymentCases: readonly BuiltInCase[] = [
  of('an ordinary Deployment is accepted', () => {}),
  of(
    'a selector that does not match the template',
    ({ spec }) => {
      spec.selector = { matchLabels: { a: 'c' } };
    },
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ),
  of(
    'a template without labels',
    ({ template }) => {
      delete template.metadata;
    },
    'spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`',
  ),
  of(
    'no selector',
    ({ spec }) => {
      delete spec.selector;
    },
    'spec.selector: Required value',
    'spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ),
  of(
    'an empty selector',
    ({ spec }) => {
      spec.selector = {};
    },
    'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
  ),
  of(
    'a container without an image',
    ({ container }) => {
      delete container.image;
    },
    `${c0}.image: Required value`,
  ),
  of(
    'a container without a name',
    ({ container }) => {
      delete container.name;
    },
    `${c0}.name: Required value`,
  ),
  of(
    'two containers of one name',
    ({ pod, container }) => {
      pod.containers = [container, { name: 'c', image: 'y' }];
    },
    'spec.template.spec.containers[1].name: Duplicate value: "c"',
  ),
  of(
    'an init container with a container’s name',
    ({ pod }) => {
      pod.initContainers = [{ name: 'c', image: 'x' }];
    },
    'spec.template.spec.initContainers[0].name: Duplicate value: "c"',
  ),
  of(
    'no containers',
    ({ pod }) => {
      pod.containers = [];
    },
    'spec.template.spec.containers: Required value',
  ),
  of(
    'containers that are null',
    ({ pod }) => {
      pod.containers = null;
    },
    'spec.template.spec.containers: Required value',
  ),
  of(
    'negative replicas',
    ({ spec }) => {
      spec.replicas = -1;
    },
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ),
  of(
    'a strategy that does not exist',
    ({ spec }) => {
      spec.strategy = { type: 'Foo' };
    },
    'spec.strategy: Unsupported value: {"RollingUpdate":null,"Type":"Foo"}: supported values: "Recreate", "RollingUpdate"',
  ),
  of(
    'a rollout that may neither add nor take away',
    ({ spec }) => {
      spec.strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } };
    },
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ),
  of(
    'a surge that is no percentage',
    ({ spec }) => {
      spec.strategy = { rollingUpdate: { maxSurge: 'x%' } };
    },
    "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x%\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
  ),
  of(
    'a deadline shorter than minReadySeconds',
    ({ spec }) => {
      spec.progressDeadlineSeconds = 0;
    },
    'spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds',
  ),
  of(
    'a pull policy that does not exist',
    ({ container }) => {
      container.imagePullPolicy = 'x';
    },
    `${c0}.imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
  ),
  of(
    'ports out of range and badly named',
    ({ container }) => {
      container.ports = [{ containerPort: 70_000, name: 'UPPER' }, { containerPort: 0 }];
    },
    `${c0}.ports[0].name: Invalid value: "UPPER": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)`,
    `${c0}.ports[0].name: Invalid value: "UPPER": must contain at least one letter (a-z)`,
    `${c0}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    `${c0}.ports[1].containerPort: Required value`,
  ),
  of(
    'two ports of one name',
    ({ container }) => {
      container.ports = [
        { containerPort: 1, name: 'a' },
        { containerPort: 1, name: 'a' },
      ];
    },
    `${c0}.ports[1].name: Duplicate value: "a"`,
  ),
  of(
    'mounts of volumes that are not there',
    ({ container }) => {
      container.volumeMounts = [
        { name: 'nope', mountPath: '/x' },
        { name: '', mountPath: '' },
      ];
    },
    `${c0}.volumeMounts[0].name: Not found: "nope"`,
    `${c0}.volumeMounts[1].name: Required value`,
    `${c0}.volumeMounts[1].name: Not found: ""`,
    `${c0}.volumeMounts[1].mountPath: Required value`,
  ),
  of(
    'a volume with two sources, and one with a bad name',
    ({ pod }) => {
      pod.volumes = [{ name: 'v', emptyDir: {}, configMap: { name: 'x' } }, { name: 'w' }, { name: 'B' }];
    },
    'spec.template.spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type',
    `spec.template.spec.volumes[2].name: Invalid value: "B": ${label}`,
  ),
  of(
    'a restart policy that a Deployment cannot have',
    ({ pod }) => {
      pod.restartPolicy = 'Never';
    },
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ),
  of(
    'environment variables that cannot be',
    ({ container }) => {
      container.env = [
        { name: '', value: 'x' },
        { name: 'a', value: 'x', valueFrom: { fieldRef: { fieldPath: 'x' } } },
        { name: 'b', valueFrom: {} },
        { name: 'c=d' },
      ];
    },
    `${c0}.env[0].name: Required value`,
    `${c0}.env[1].valueFrom.fieldRef.fieldPath: Invalid value: "x": error converting fieldPath: field label not supported: x`,
    `${c0}.env[1].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
    `${c0}.env[2].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
    `${c0}.env[3].name: Invalid value: "c=d": a valid environment variable name must consist only of printable ASCII characters other than '='`,
  ),
  of(
    'a request above its limit',
    ({ container }) => {
      container.resources = { limits: { cpu: '1' }, requests: { cpu: '2' } };
    },
    `${c0}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ),
  of(
    'a negative limit',
    ({ container }) => {
      container.resources = { limits: { cpu: '-1' } };
    },
    `${c0}.resources.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0`,
  ),
  of(
    'a probe of port 0 with a negative period',
    ({ container }) => {
      container.readinessProbe = { httpGet: { port: 0 }, periodSeconds: -1 };
    },
    `${c0}.readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
    `${c0}.readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0`,
  ),
  of(
    'a liveness probe without a handler',
    ({ container }) => {
      container.livenessProbe = { successThreshold: 2 };
    },
    `${c0}.livenessProbe: Required value: must specify a handler type`,
    `${c0}.livenessProbe.successThreshold: Invalid value: 2: must be 1`,
  ),
  of(
    'a toleration that exists and has a value',
    ({ pod }) => {
      pod.tolerations = [{ operator: 'Exists', value: 'x' }];
    },
    'spec.template.spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
  ),
  of(
    'a termination message policy that does not exist',
    ({ container }) => {
      container.terminationMessagePolicy = 'X';
    },
    `${c0}.terminationMessagePolicy: Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"`,
  ),
  of(
    'a DNS policy that does not exist',
    ({ pod }) => {
      pod.dnsPolicy = 'X';
    },
    'spec.template.spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
  ),
  of(
    'a node selector with a bad label',
    ({ pod }) => {
      pod.nodeSelector = { 'a b': 'c' };
    },
    `spec.template.spec.nodeSelector: Invalid value: "a b": ${qualified}`,
  ),
  of(
    'a service account with a bad name',
    ({ pod }) => {
      pod.serviceAccountName = 'A_B';
    },
    `spec.template.spec.serviceAccountName: Invalid value: "A_B": ${subdomain}`,
  ),
  decode(
    'replicas that are text',
    ({ spec }) => {
      spec.replicas = 'abc';
    },
    into('string', 'DeploymentSpec.spec.replicas', 'int32'),
  ),
  decode(
    'containers that are text',
    ({ pod }) => {
      pod.containers = 'x';
    },
    into('string', 'PodSpec.spec.template.spec.containers', '[]v1.Container'),
  ),
  decode(
    'a label that is a number',
    ({ metadata }) => {
      metadata.labels = { x: 1 };
    },
    into('number', 'ObjectMeta.metadata.labels', 'string'),
  ),
  decode(
    'an image that is a number',
    ({ container }) => {
      container.image = 3;
    },
    into('number', 'Container.spec.template.spec.containers.image', 'string'),
  ),
  decode(
    'replicas with a fraction',
    ({ spec }) => {
      spec.replicas = 1.5;
    },
    into('number 1.5', 'DeploymentSpec.spec.replicas', 'int32'),
  ),
  decode(
    'replicas beyond 32 bits',
    ({ spec }) => {
      spec.replicas = 3e9;
    },
    into('number 3000000000', 'DeploymentSpec.spec.replicas', 'int32'),
  ),
  decode(
    'a truth value that is text',
    ({ spec }) => {
      spec.paused = 'yes';
    },
    into('string', 'DeploymentSpec.spec.paused', 'bool'),
  ),
  decode(
    'a quantity that is none',
    ({ container }) => {
      container.resources = { limits: { cpu: 'abc' } };
    },
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ),
  decode(
    'a port that is a truth value',
    ({ container }) => {
      container.readinessProbe = { httpGet: { port: true } };
    },
    into(
      'bool',
      'HTTPGetAction.spec.template.spec.containers.readinessProbe.ProbeHandler.httpGet.port',
      'int32',
    ),
  ),
  decode(
    'arguments that are numbers',
    ({ container }) => {
      container.args = [1];
    },
    into('number', 'Container.spec.template.spec.containers.args', 'string'),
  ),
  decode(
    'a variable whose value is a number',
    ({ container }) => {
      container.env = [{ name: 'a', value: 1 }];
    },
    into('number', 'EnvVar.spec.template.spec.containers.env.value', 'string'),
  ),
  decode(
    'a container port that is text',
    ({ container }) => {
      container.ports = [{ containerPort: '80' }];
    },
    into('string', 'ContainerPort.spec.template.spec.containers.ports.containerPort', 'int32'),
  ),
];
