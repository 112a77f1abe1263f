/** Sends a sequence of steps to two API servers at once and compares every answer and the end. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Body, Client } from '../../conformance/support/client.ts';
import { said, warnings } from '../../conformance/support/words.ts';
import type { Family, Step } from './steps.ts';

/** One of the two servers: the client, and the path of each collection. */
export interface Side {
  readonly client: Client;
  path(plural: string): string;
}

export interface Difference {
  /** Index of the step; the number of steps for the end state. */
  readonly at: number;
  readonly real: unknown;
  readonly embedded: unknown;
}

interface Seen {
  staleVersion?: string;
}

const wrongUid = '00000000-0000-4000-8000-000000000000';

function withName(value: unknown, name: string, group: string): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('$name', name).replaceAll('GROUP', group));
}

async function liveOf(side: Side, family: Family, name: string): Promise<Body | undefined> {
  const answer = await side.client.get(`${side.path(family.plural)}/${name}`);
  return answer.status === 200 ? answer.body : undefined;
}

function versioned(step: Step, family: Family, live: Body | undefined, seen: Seen): string | undefined {
  if (step.version === 'live') return live?.metadata.resourceVersion;
  if (step.version !== 'stale') return undefined;
  // Controllers write to such an object on the real server only: its first version may be the live one on the other still.
  return family.shared === true ? '1' : (seen.staleVersion ?? '1');
}

/** Sends one step, with what it needs of the live object read from the same server. */
async function send(
  side: Side,
  family: Family,
  name: string,
  group: string,
  step: Step,
  seen: Seen,
): Promise<Answer> {
  const { client } = side;
  const collection = side.path(family.plural);
  const path = `${collection}/${name}${step.subresource === undefined ? '' : `/${step.subresource}`}`;
  const live = await liveOf(side, family, name);
  if (live !== undefined) seen.staleVersion ??= live.metadata.resourceVersion ?? '1';
  const resourceVersion = versioned(step, family, live, seen);
  const body = withName(step.body, name, group) as Record<string, unknown>;
  const query = step.query ?? {};
  const withVersion = () =>
    resourceVersion === undefined
      ? body
      : { ...body, metadata: { ...(body.metadata as object | undefined), resourceVersion } };
  switch (step.verb) {
    case 'create':
      return client.post(collection, body, query);
    case 'put': {
      if (step.subresource !== 'scale' && step.overLive === true && live !== undefined) {
        const { metadata: _, ...rest } = body;
        const metadata: Record<string, unknown> = { ...live.metadata };
        if (resourceVersion === undefined) delete metadata.resourceVersion;
        else metadata.resourceVersion = resourceVersion;
        return client.put(path, { ...live, ...rest, metadata }, query);
      }
      return client.put(path, withVersion(), query);
    }
    case 'merge':
      return client.mergePatch(path, withVersion(), query);
    case 'strategic':
      return client.strategicPatch(path, body, query);
    case 'json':
      return client.jsonPatch(path, body, query);
    case 'apply': {
      const { fieldManager, ...rest } = query;
      return client.apply(path, String(fieldManager), body, rest);
    }
    case 'delete': {
      const uid = step.uid === undefined ? undefined : step.uid === 'live' ? live?.metadata.uid : wrongUid;
      const preconditions = {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      const answer = await client.delete(
        path,
        { ...body, ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }) },
        query,
      );
      await untilCollected(side, family, name);
      return answer;
    }
    default:
      return makeDependent(side, name, live, body.blocks === true);
  }
}

function makeDependent(side: Side, name: string, live: Body | undefined, blocks: boolean): Promise<Answer> {
  const owner =
    live === undefined
      ? {}
      : {
          ownerReferences: [
            {
              apiVersion: live.apiVersion,
              kind: live.kind,
              name,
              uid: live.metadata.uid,
              blockOwnerDeletion: blocks,
            },
          ],
        };
  return side.client.post(side.path('configmaps'), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-dependent`, ...owner },
  });
}

/** The collector works when it comes to it: waits until it has nothing left to do with the object. */
async function untilCollected(side: Side, family: Family, name: string): Promise<void> {
  const deadlineMs = Date.now() + 5_000;
  for (;;) {
    const live = await liveOf(side, family, name);
    const busy =
      live?.metadata.deletionTimestamp !== undefined &&
      (live.metadata.finalizers ?? []).some((one) => one === 'orphan' || one === 'foregroundDeletion');
    if (!busy || Date.now() > deadlineMs) return;
    await delay(10);
  }
}

const byController = /controller-manager/;

/**
 * Waits until a controller of each server has written to the object: one that has no owners of fields yet stays without when
 * somebody updates it, so that a slow controller would look like a difference.
 */
async function untilControlled(side: Side, family: Family, name: string): Promise<void> {
  const deadlineMs = Date.now() + 3_000;
  for (;;) {
    const live = await liveOf(side, family, name);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return;
    if (live.metadata.managedFields?.some(({ manager }) => byController.test(manager ?? ''))) return;
    if (Date.now() > deadlineMs) return;
    await delay(10);
  }
}

const uidPattern = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The real server adds how a pod's spec differs, up to the end of what it says. */
function withEnd(text: string): string {
  const cut = text.replace(/\n@@ .*/s, '');
  return cut !== text && cut.includes(' is invalid: [') ? `${cut}]` : cut;
}

/** The words of a refusal without what only one server can know, and with causes in one order. */
function words(answer: Answer): string {
  const masked = withEnd(said(answer))
    .replace(uidPattern, 'UID')
    .replace(/ResourceVersion in (precondition|record) \(\d+\)/g, 'ResourceVersion in $1 (…)')
    .replace(
      /the ResourceVersion in the precondition \(\d+\)/g,
      'the ResourceVersion in the precondition (…)',
    )
    // Go writes objects in its own spelling, and a patched object whole.
    .replace(/Invalid value: "\{.*\}": /s, 'Invalid value: …: ')
    .replace(/Invalid value: \{.*?\}: /gs, 'Invalid value: …: ')
    // Go has names for some types of text.
    .replace(/of type v1\.\w+Type\b/g, 'of type string')
    .replace(/Object 'Kind' is missing in .*/, "Object 'Kind' is missing");
  // Owners are told by the time of their writes, to the second: two servers' seconds are not the same.
  const [head = '', ...conflicts] = masked.split(/(?=conflicts with ")/);
  if (conflicts.length > 1) return [head, ...conflicts.map((one) => one.trim()).sort()].join('\n');
  return masked.replace(
    / is invalid: \[(.*)\]$/s,
    (_, list: string) => ` is invalid: ${[...new Set(list.split(/, (?=[\w.[\]"<>]+: )/))].sort().join(', ')}`,
  );
}

/** What must be the same of an object: all but uids, times, versions and addresses. */
function visible(object: Body, family: Family): unknown {
  const { metadata, ...rest } = object as Body & Record<string, unknown>;
  const managedFields = (metadata.managedFields ?? [])
    // Controllers write when they come to it.
    .filter((entry) => !byController.test(entry.manager ?? ''))
    .map(({ time: _, ...entry }) => entry)
    .sort((a, b) => (stable(a) < stable(b) ? -1 : 1));
  const {
    uid: _,
    resourceVersion: __,
    creationTimestamp: ___,
    deletionTimestamp,
    ...meta
  } = metadata as Record<string, unknown>;
  const masked = JSON.parse(
    JSON.stringify({
      ...rest,
      metadata: { ...meta, deleting: deletionTimestamp !== undefined, managedFields },
    })
      .replace(uidPattern, 'UID')
      .replace(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-…'),
  );
  if (family.shared === true) {
    delete masked.status;
    delete masked.metadata.annotations?.['deployment.kubernetes.io/revision'];
    if (Object.keys(masked.metadata.annotations ?? {}).length === 0) delete masked.metadata.annotations;
    // Whether there were annotations before somebody's first one depends on when the controller wrote its own.
    for (const { fieldsV1 } of masked.metadata.managedFields)
      delete fieldsV1?.['f:metadata']?.['f:annotations']?.['.'];
  }
  for (const name of ['clusterIP', 'clusterIPs'])
    if (masked.spec?.[name] !== undefined && !JSON.stringify(masked.spec[name]).includes('None'))
      masked.spec[name] = '…';
  return masked;
}

function essence(answer: Answer, family: Family): unknown {
  // Warnings about odd but valid pod templates are a known difference.
  const warned = warnings(answer)
    .filter((text) => /^(unknown|duplicate) field/.test(text))
    .sort();
  if (answer.status >= 400) return { words: words(answer), warned };
  if (answer.body.kind === 'Status') return { status: answer.status, warned };
  return { status: answer.status, warned, object: visible(answer.body, family) };
}

/** The object and its dependent, as they are at last. */
async function endState(side: Side, family: Family, name: string): Promise<unknown> {
  const live = await liveOf(side, family, name);
  const dependent = await side.client.get(`${side.path('configmaps')}/${name}-dependent`);
  return {
    object: live === undefined ? 'gone' : visible(live, family),
    dependent:
      dependent.status === 200 ? { owned: dependent.body.metadata.ownerReferences !== undefined } : 'gone',
  };
}

const same = (a: unknown, b: unknown) => stable(a) === stable(b);
/** JSON with sorted keys, so that the order of fields does not count. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A write met one of a controller: the refusal says that the object was modified. */
const raced = (answer: Answer) =>
  answer.status === 409 &&
  /has been modified|might have been modified|Precondition failed: ResourceVersion/.test(said(answer));

/** Runs the steps to one object of each server; the first difference, or undefined. */
export async function findDifference(
  real: Side,
  embedded: Side,
  family: Family,
  group: string,
  name: string,
  steps: readonly Step[],
): Promise<Difference | undefined> {
  const memory = [{}, {}] as [Seen, Seen];
  try {
    for (const [at, step] of steps.entries()) {
      if (step.subresource === 'scale' && (await keepsScale(real, family, name, step))) continue;
      const before = family.shared === true ? undefined : await versions(real, embedded, family, name);
      let [truth, ours] = await Promise.all([
        send(real, family, name, group, step, memory[0]),
        send(embedded, family, name, group, step, memory[1]),
      ]);
      for (let tries = 0; family.shared === true && step.version !== 'stale' && tries < 20; tries += 1) {
        if (raced(truth)) truth = await send(real, family, name, group, step, memory[0]);
        else if (raced(ours)) ours = await send(embedded, family, name, group, step, memory[1]);
        else break;
      }
      // A version that a controller made old tells nothing.
      if (family.shared === true && raced(truth) !== raced(ours)) return undefined;
      const wanted = essence(truth, family);
      const got = essence(ours, family);
      if (!same(wanted, got)) return { at, real: wanted, embedded: got };
      if (family.shared === true)
        await Promise.all([real, embedded].map((side) => untilControlled(side, family, name)));
      const after = family.shared === true ? undefined : await versions(real, embedded, family, name);
      if (before !== undefined && after !== undefined) {
        const moved = [0, 1].map((side) => before[side] !== after[side]);
        // A default of status is stored with the first change, not at creation: a known difference.
        const first = family.defaultsStatus === true && before[0] === memory[0].staleVersion;
        if (moved[0] !== moved[1] && !first)
          return { at, real: `moved: ${moved[0]}`, embedded: `moved: ${moved[1]}` };
      }
    }
    return await endDifference(real, embedded, family, name, steps.length);
  } finally {
    for (const side of [real, embedded]) {
      await side.client.mergePatch(`${side.path(family.plural)}/${name}`, { metadata: { finalizers: null } });
      await side.client.delete(`${side.path(family.plural)}/${name}`, { gracePeriodSeconds: 0 });
      await side.client.delete(`${side.path('configmaps')}/${name}-dependent`);
    }
  }
}

/** A write of /scale that changes nothing is a known difference: the real server splits an entry of the owners. */
async function keepsScale(side: Side, family: Family, name: string, step: Step): Promise<boolean> {
  const { body } = await side.client.get(`${side.path(family.plural)}/${name}/scale`);
  const now = (body.spec?.replicas as number | undefined) ?? 0;
  const asked = Array.isArray(step.body)
    ? (step.body[0] as { value: number }).value
    : (step.body as { spec: { replicas: number } }).spec.replicas;
  return now === asked;
}

async function versions(real: Side, embedded: Side, family: Family, name: string) {
  return (await Promise.all([real, embedded].map((side) => liveOf(side, family, name)))).map(
    (live) => live?.metadata.resourceVersion,
  );
}

/** The end may take a moment: the collector and the controllers have their own pace. */
async function endDifference(
  real: Side,
  embedded: Side,
  family: Family,
  name: string,
  at: number,
): Promise<Difference | undefined> {
  const deadlineMs = Date.now() + 8_000;
  for (;;) {
    const [truth, ours] = await Promise.all([endState(real, family, name), endState(embedded, family, name)]);
    if (same(truth, ours)) return undefined;
    if (Date.now() > deadlineMs) return { at, real: truth, embedded: ours };
    await delay(50);
  }
}

/** The shortest sequence found, by leaving out one step after the other, that still shows a difference. */
export async function shrink(
  steps: readonly Step[],
  differs: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let kept = steps;
  for (let index = kept.length - 1; index >= 0; index -= 1) {
    const without = kept.filter((_, other) => other !== index);
    if (without.length > 0 && (await differs(without))) kept = without;
  }
  return kept;
}
