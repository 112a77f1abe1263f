/** What each suite of a run saw: the requests of the operator's account beside what the chart gave it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditedRequest } from './audit-log.ts';
import { compare, type Evidence, type Grant } from './permissions.ts';

/** One installation during one suite. */
export interface Observation {
  readonly suite: string;
  /** How the chart was installed, as far as it makes other roles. */
  readonly mode: string;
  readonly grants: readonly Grant[];
  readonly requests: readonly AuditedRequest[];
}

/** Folder in which suites of one run leave their observations; undefined outside of such a run. */
export const evidenceDir = (): string | undefined => process.env.BALLAST_KUBE_EVIDENCE;

/** Leaves an observation for the comparison at the end of the run. */
export function saveObservation(observation: Observation): void {
  const dir = evidenceDir();
  if (dir === undefined) return;
  mkdirSync(dir, { recursive: true });
  // Thousands of requests are a few dozen kinds of request.
  const kinds = new Map(
    observation.requests.map((one) => [
      [one.verb, one.resource, one.namespace, one.name, one.code].join(),
      one,
    ]),
  );
  const name = `${observation.suite}-${observation.mode}`.replace(/[^a-z0-9]+/gi, '-');
  writeFileSync(join(dir, `${name}.json`), JSON.stringify({ ...observation, requests: [...kinds.values()] }));
}

/** All observations of a run. */
export const readObservations = (dir: string): Observation[] =>
  readdirSync(dir).map((file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as Observation);

/**
 * Owner references with blockOwnerDeletion are checked by admission, where OwnerReferencesPermissionEnforcement is on, and
 * no log shows it: the tests' server has it on, so that without this right nothing would ever be created.
 */
export const unseenNeeds = [
  { verb: 'update', resource: 'modeldeployments.ballast.dev/finalizers' },
  // Held only because it is granted to gateways: the server refuses a Role that says more than its writer may do.
  { verb: 'get', resource: 'deployments.apps/scale' },
  { verb: 'patch', resource: 'deployments.apps/scale' },
];

/** Compares what one installation asked for with what it was given. */
export const judge = ({ requests, grants }: Pick<Observation, 'requests' | 'grants'>): Evidence =>
  compare(requests, grants, unseenNeeds);
