/**
 * What the schema cannot say: a spec that the API server took and that cannot be served. The rules of the CRD are
 * checked again, because an old CRD or a switched-off validation may have let something through.
 */
import { maxContractBytes } from '../../crds/constants.ts';
import { specSchema } from '../../crds/schema.ts';
import type { ModelDeployment, ModelDeploymentSpec } from '../../crds/types.ts';
import { durationMs, quantityNumber } from '../../crds/values.ts';
import { keyProblems } from './check-keys.ts';
import { claimOf, resourcesOf } from './desired/pod-template.ts';
import { isTimezone } from './scaling/schedule.ts';
import type { OperatorDefaults } from './snapshot.ts';

/** One field that cannot be served as it is written. */
export interface Problem {
  /** Path from the root: `spec.model.uri`. */
  readonly field: string;
  /** What is wrong and the way out. */
  readonly message: string;
}

type Check = (spec: ModelDeploymentSpec, defaults: OperatorDefaults) => Problem[];

const problem = (field: string, message: string): Problem[] => [{ field, message }];

const schema: Check = (spec) => {
  const parsed = specSchema.safeParse(spec);
  if (parsed.success) return [];
  return parsed.error.issues.slice(0, 4).map((issue) => ({
    field: ['spec', ...issue.path].join('.'),
    message: issue.message,
  }));
};

const modelUri: Check = ({ model, runtime }, defaults) => {
  const field = 'spec.model.uri';
  const { uri } = model;
  if (uri.includes('\\') || /(^|\/)\.\.(\/|$)/.test(uri.replace(/^[a-z]+:\/\//, '')))
    return problem(field, `"${uri}" leaves its root: write the path without ".." and "\\"`);
  if (uri.startsWith('pvc://')) {
    const claim = claimOf(uri);
    if (claim === undefined)
      return problem(field, `"${uri}" names no file: write pvc://CLAIM/PATH/OF/model.onnx`);
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(claim.claim))
      return problem(field, `"${claim.claim}" is no name of a PersistentVolumeClaim`);
    return [];
  }
  if (uri.startsWith('file://')) {
    const path = uri.slice('file://'.length);
    if (!path.startsWith('/')) return problem(field, `"${uri}" names no absolute path: write file:///PATH`);
    // An image of the user's own may bring models anywhere; its pod checks the roots itself.
    if (runtime?.image !== undefined) return [];
    const inRoot = defaults.fileRoots.some((root) => path.startsWith(`${root.replace(/\/$/, '')}/`));
    return inRoot
      ? []
      : problem(
          field,
          `"${uri}" is not in the pod image, which has files under ${defaults.fileRoots.join(', ') || 'no path'}: use https:// or pvc://, or set runtime.image`,
        );
  }
  if (uri.startsWith('https://')) {
    if (!URL.canParse(uri)) return problem(field, `"${uri}" is no address`);
    const { username, password } = new URL(uri);
    return username === '' && password === ''
      ? []
      : problem(
          field,
          'the address holds a user name or password, which everyone who may read this object would see: remove it',
        );
  }
  return problem(field, `"${uri}" is of no known kind: use https://, pvc:// or file://`);
};

const schedule: Check = ({ scaling }) =>
  (scaling.schedule ?? []).flatMap(({ timezone, minReplicas }, index) => {
    const field = `spec.scaling.schedule.${index}`;
    const { maxReplicas } = scaling;
    if (timezone !== undefined && !isTimezone(timezone))
      return problem(
        `${field}.timezone`,
        `"${timezone}" is no time zone that is known here: write an IANA name as Europe/Berlin, or remove it for UTC`,
      );
    return maxReplicas === undefined || minReplicas <= maxReplicas
      ? []
      : problem(
          `${field}.minReplicas`,
          `${minReplicas} is more than maxReplicas ${maxReplicas}: lower it, or raise scaling.maxReplicas`,
        );
  });

const resources: Check = ({ runtime }) => {
  const { requests = {}, limits = {} } = resourcesOf(runtime);
  return Object.entries(requests).flatMap(([name, request]) => {
    const limit = limits[name];
    if (limit === undefined || quantityNumber(request) <= quantityNumber(limit)) return [];
    return problem(
      `spec.runtime.resources.requests.${name}`,
      `${request} is more than the limit of ${limit}: lower the request or raise limits.${name}`,
    );
  });
};

/** A device (`nvidia.com/gpu`) is had whole and by one container: Kubernetes wants a limit and no other request. */
const devices: Check = ({ runtime }) => {
  const { requests = {}, limits = {} } = runtime?.resources ?? {};
  const device = Object.keys({ ...limits, ...requests }).find((name) => name.includes('/'));
  if (device === undefined) return [];
  const [request, limit] = [requests[device], limits[device]];
  if (limit === undefined)
    return problem(
      `spec.runtime.resources.requests.${device}`,
      `a device is asked for as a limit: write limits.${device}: ${request}`,
    );
  const field = `spec.runtime.resources.limits.${device}`;
  if (runtime?.image === undefined)
    return problem(
      field,
      'the default image runs on CPUs only: set runtime.image to one that uses the device',
    );
  if (!Number.isInteger(quantityNumber(limit)))
    return problem(field, `${limit} is no whole number of devices`);
  return request === undefined || quantityNumber(request) === quantityNumber(limit)
    ? []
    : problem(field, `of a device request and limit must be the same, not ${request} and ${limit}`);
};

const environment: Check = ({ runtime }) =>
  (runtime?.env ?? []).flatMap(({ name, value, valueFrom }) => {
    const field = `spec.runtime.env.${name}`;
    if (name.startsWith('BALLAST_'))
      return problem(field, 'names that start with BALLAST_ belong to the operator: choose another');
    return (value === undefined) === (valueFrom === undefined)
      ? problem(field, 'give exactly one of value and valueFrom')
      : [];
  });

const promises: Check = ({ sla }) =>
  sla === undefined || sla.latency !== undefined || sla.errorRate !== undefined
    ? []
    : problem('spec.sla', 'it promises nothing: promise a latency or an errorRate, or leave sla out');

const latency: Check = ({ sla }) => {
  const promised = (['p50', 'p90', 'p95', 'p99'] as const).flatMap((name) => {
    const text = sla?.latency?.[name];
    return text === undefined ? [] : [{ name, text, ms: durationMs(text) }];
  });
  return promised.flatMap(({ name, text, ms }, index) => {
    const next = promised[index + 1];
    if (ms <= 0) return problem(`spec.sla.latency.${name}`, 'a promised latency must be longer than 0');
    return next !== undefined && ms > next.ms
      ? problem(
          `spec.sla.latency.${name}`,
          `${name} is ${text} and ${next.name} is ${next.text}: ${name} must not be longer than ${next.name}`,
        )
      : [];
  });
};

/** It travels as one variable of the pods' environment. */
const contract: Check = ({ contract }) => {
  const bytes = contract === undefined ? 0 : Buffer.byteLength(JSON.stringify(contract));
  return bytes <= maxContractBytes
    ? []
    : problem(
        'spec.contract',
        `it has ${bytes} bytes as JSON, and at most ${maxContractBytes} fit into the pods: let one rule name many columns, or list fewer values`,
      );
};

const between = (field: string, text: string | undefined, lowest: string, highest: string): Problem[] =>
  text === undefined || (durationMs(text) >= durationMs(lowest) && durationMs(text) <= durationMs(highest))
    ? []
    : problem(field, `${text} is not between ${lowest} and ${highest}`);

const durations: Check = ({ sla, traffic, rollout, scaling: { scaleToZero, headroom } }) => [
  ...between('spec.scaling.headroom.forecast', headroom?.forecast, '10s', '1h'),
  ...between('spec.scaling.scaleToZero.idleAfter', scaleToZero?.idleAfter, '10s', '24h'),
  ...between('spec.sla.window', sla?.window, '10s', '1h'),
  ...between('spec.traffic.timeout', traffic?.timeout, '10ms', '1h'),
  ...between('spec.rollout.progressDeadline', rollout?.progressDeadline, '10s', '24h'),
];

const scaling: Check = ({ scaling }) => {
  const { mode, minReplicas, maxReplicas, requestsPerSecondPerReplica, priority, headroom } = scaling;
  if (minReplicas !== undefined && maxReplicas !== undefined && minReplicas > maxReplicas)
    return problem(
      'spec.scaling.minReplicas',
      `minReplicas is ${minReplicas} and maxReplicas is ${maxReplicas}: minReplicas must not be larger`,
    );
  const foreign = Object.entries({
    minReplicas,
    maxReplicas,
    requestsPerSecondPerReplica,
    priority,
    headroom,
  }).find(([, value]) => value !== undefined);
  return mode !== 'SLA' && foreign !== undefined
    ? problem(
        `spec.scaling.${foreign[0]}`,
        `belongs to mode SLA, and mode is ${mode}: remove it, or set mode: SLA`,
      )
    : [];
};

const headroom: Check = ({ scaling: { headroom: room } }) =>
  room === undefined || room.replicas !== undefined || room.forecast !== undefined
    ? []
    : problem('spec.scaling.headroom', 'needs replicas or forecast: write one of them, or remove it');

const scaleToZero: Check = ({ scaling, traffic }) => {
  const field = 'spec.scaling.scaleToZero';
  if (scaling.scaleToZero === undefined) return [];
  if (scaling.mode !== 'SLA')
    return problem(field, `belongs to mode SLA, and mode is ${scaling.mode}: remove it, or set mode: SLA`);
  return traffic?.path === 'Direct'
    ? problem(
        field,
        'it needs a gateway, which holds requests while no replica runs: remove traffic.path: Direct, or scaleToZero',
      )
    : [];
};

const rest: readonly Check[] = [
  modelUri,
  resources,
  schedule,
  headroom,
  devices,
  contract,
  keyProblems,
  environment,
  promises,
  latency,
  durations,
  scaling,
  scaleToZero,
];

const remembered = new WeakMap<ModelDeploymentSpec, Problem[]>();

/** Everything that keeps the spec from being served, each with its field; empty for a good spec. */
export function check(deployment: ModelDeployment, defaults: OperatorDefaults): readonly Problem[] {
  const { spec } = deployment;
  // Caches hold each version of an object once and frozen, so the answer for one is the answer for good.
  const known = remembered.get(spec);
  if (known !== undefined) return known;
  const malformed = schema(spec, defaults);
  // The other checks rely on the schema's shapes and notations.
  const problems = malformed.length > 0 ? malformed : rest.flatMap((each) => each(spec, defaults));
  remembered.set(spec, problems);
  return problems;
}

/** Whether a problem lies in one of these blocks of the spec. */
export const concerns = (problems: readonly Problem[], ...blocks: string[]): boolean =>
  problems.some(({ field }) =>
    blocks.some((block) => field === `spec.${block}` || field.startsWith(`spec.${block}.`)),
  );
