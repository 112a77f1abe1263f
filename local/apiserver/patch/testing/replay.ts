/** Plays a scenario with this folder's functions, as the API server strings them together. */

import { compileSchema } from '../../../../crds/structural/compile.ts';
import { joinErrors } from '../../../../crds/structural/field-error.ts';
import { isObject, type JsonObject } from '../../../../crds/structural/schema-node.ts';
import type { KubeObject } from '../../../../kube/objects.ts';
import { builtinSchema } from '../../schema/builtin.ts';
import { serverSideApply } from '../apply.ts';
import { jsonPatch } from '../json-patch.ts';
import { resetFieldsOf } from '../managers-update.ts';
import { mergePatch } from '../merge-patch.ts';
import { strategicMergePatch } from '../strategic.ts';
import { isNoOp, trackUpdate } from '../update.ts';
import { thingSchema } from './custom-scenarios.ts';
import type { Scenario, Step } from './scenarios.ts';

export interface Outcome {
  /** The object without what the server made up, or nothing after a failure. */
  readonly object?: JsonObject;
  readonly error?: string;
  readonly changed?: boolean;
}

const things = compileSchema(thingSchema);

/** Runs every step and says what came of each. */
export function replay(scenario: Scenario): Outcome[] {
  const { group, version, kind } = scenario.resource;
  const built = builtinSchema(group, version, kind);
  const schema = built ?? things;
  let live: KubeObject | undefined;
  let second = 0;
  const outcomes: Outcome[] = [];
  for (const step of scenario.steps) {
    second += 1;
    const result = play(
      step,
      live,
      schema,
      built?.empty,
      second,
      group === '' ? version : `${group}/${version}`,
    );
    if (typeof result === 'string') {
      outcomes.push({ error: result });
      continue;
    }
    const changed = !isNoOp(live, result);
    if (changed) live = result;
    outcomes.push({ object: visible(live as KubeObject), changed });
  }
  return outcomes;
}

/** The object without what differs from run to run. */
export function visible(object: object): JsonObject {
  const copy = structuredClone(object) as JsonObject & { metadata: JsonObject; spec?: JsonObject };
  for (const name of ['uid', 'creationTimestamp', 'resourceVersion', 'generation', 'namespace', 'selfLink'])
    delete copy.metadata[name];
  // Controllers of a real cluster write beside the scenario.
  const annotations = copy.metadata.annotations;
  if (isObject(annotations)) {
    delete annotations['deployment.kubernetes.io/revision'];
    if (Object.keys(annotations).length === 0) delete copy.metadata.annotations;
  }
  if (Array.isArray(copy.metadata.managedFields))
    copy.metadata.managedFields = copy.metadata.managedFields
      .filter((entry: JsonObject) => !/controller-manager$/.test(String(entry.manager)))
      .map((entry: JsonObject) => {
        const { time: _, ...rest } = entry;
        return rest;
      })
      .sort((a: JsonObject, b: JsonObject) => (identity(a) < identity(b) ? -1 : 1));
  if (copy.kind !== 'Thing') delete copy.status;
  for (const name of ['ipFamilies', 'ipFamilyPolicy', 'clusterIPs'])
    if (isObject(copy.spec)) delete copy.spec[name];
  return copy;
}

const identity = (entry: JsonObject) =>
  `${String(entry.operation)} ${String(entry.manager)} ${String(entry.subresource ?? '')}`;

function play(
  step: Step,
  live: KubeObject | undefined,
  schema: ReturnType<typeof compileSchema>,
  empty: JsonObject | undefined,
  second: number,
  apiVersion: string,
): KubeObject | string {
  const body = structuredClone(step.body) as KubeObject;
  const writer = {
    manager: step.manager,
    apiVersion,
    time: new Date(second * 1000).toISOString().replace('.000Z', 'Z'),
    resetFields:
      schema === things || step.subresource !== undefined
        ? resetFieldsOf(step.subresource ?? '', schema === things)
        : [],
    ...(step.subresource === undefined ? {} : { subresource: step.subresource }),
    ...(empty === undefined ? {} : { empty }),
  };
  const finish = (object: KubeObject, keepNulls = false): KubeObject =>
    schema.applyDefaults(schema.prune(withoutForeign(object, live, step)), keepNulls);
  const judge = (object: KubeObject): KubeObject | string => {
    const errors = schema.validate(object, live);
    return errors.length === 0 ? object : joinErrors(errors);
  };
  switch (step.verb) {
    case 'apply': {
      const result = serverSideApply(schema.schema, live, body, { ...writer, force: step.force ?? false });
      if ('conflict' in result) return result.conflict.message;
      if ('error' in result) return result.error;
      return judge(finish(result.object, true));
    }
    case 'create':
    case 'replace': {
      const after = finish(body);
      const refused = judge(after);
      return typeof refused === 'string' ? refused : trackUpdate(schema.schema, live, after, writer);
    }
    default: {
      const patched = patch(step, live, schema, body);
      if ('error' in patched) return patched.error;
      const after = judge(finish(patched.value as KubeObject));
      return typeof after === 'string' ? after : trackUpdate(schema.schema, live, after, writer);
    }
  }
}

function patch(
  step: Step,
  live: KubeObject | undefined,
  schema: ReturnType<typeof compileSchema>,
  body: unknown,
): { value: unknown } | { error: string } {
  if (step.verb === 'merge') return { value: mergePatch(live, body) };
  return step.verb === 'json' ? jsonPatch(live, body) : strategicMergePatch(schema.schema, live, body);
}

/** What a strategy does: the main resource keeps status, `/status` keeps everything else. */
function withoutForeign(object: KubeObject, live: KubeObject | undefined, step: Step): KubeObject {
  if (object.kind !== 'Thing') return object;
  const { status, ...rest } = object as KubeObject & { status?: unknown };
  const old = live as (KubeObject & { status?: unknown }) | undefined;
  if (step.subresource === 'status') {
    const managedFields = object.metadata.managedFields;
    return {
      ...(old as KubeObject),
      metadata: { ...(old?.metadata ?? {}), ...(managedFields === undefined ? {} : { managedFields }) },
      ...(status === undefined ? {} : { status }),
    } as KubeObject;
  }
  return { ...rest, ...(old?.status === undefined ? {} : { status: old.status }) } as KubeObject;
}
