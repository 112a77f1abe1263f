/** What /readyz says of namespaces that cannot be read. */
import { describe, expect, test } from '@jest/globals';
import { modelDeployments } from '../../crds/constants.ts';
import { ApiError } from '../../kube/errors.ts';
import { resources } from '../../kube/resource.ts';
import { readingProblem } from './namespaces.ts';

const refused = new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
const unknown = new ApiError({ code: 404, reason: 'NotFound', message: 'no' });
const away = new ApiError({ code: 0, reason: 'ConnectionRefused', message: 'list Pod: ECONNREFUSED' });
const part = (type: (typeof resources)[keyof typeof resources], fault?: unknown, synced = true) => ({
  type,
  synced,
  stalled: false,
  fault,
});

describe('a namespace that cannot be read', () => {
  test.each<[string, string | undefined, Parameters<typeof readingProblem>[1], string | undefined]>([
    ['all is well', 'a', [part(resources.pods)], undefined],
    [
      'a role is missing',
      'a',
      [part(resources.pods, refused, false), part(resources.deployments, refused), part(resources.services)],
      "namespace a: may not list and watch pods, deployments.apps: it does not exist, or the operator's Role and RoleBinding are missing in it",
    ],
    [
      'the ClusterRole is missing',
      undefined,
      [part(resources.pods, refused, false)],
      "may not list and watch pods: bind the operator's ClusterRole, or name its namespaces with --watch-namespaces",
    ],
    [
      'the CRD is missing',
      undefined,
      [part(modelDeployments as typeof resources.pods, unknown, false), part(resources.pods)],
      "the server does not know modeldeployments.ballast.dev: install Ballast's CRDs first",
    ],
    [
      'the server is away',
      undefined,
      [part(resources.pods, away, false), part(resources.services, undefined, false)],
      'no fresh list of pods, services: list Pod: ECONNREFUSED',
    ],
    [
      'nothing was tried yet',
      'a',
      [part(resources.pods, undefined, false)],
      'namespace a: no fresh list of pods',
    ],
  ])('%s', (_, namespace, parts, said) => {
    expect(readingProblem(namespace, parts)).toBe(said);
  });
});
