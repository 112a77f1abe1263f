/** What keeps the room: its objects, and what their status says. */
import { describe, expect, test } from '@jest/globals';
import { renderPodTemplate } from '../desired/pod-template.ts';
import { makeDeployment, type SpecPart, testDefaults } from '../testing/builders.ts';
import { type CapacityBuffer, capacityBuffer, isOwnHeadroom, placeholders } from './objects.ts';
import { keptByBuffer, keptByPlaceholders } from './reading.ts';

const settings = { image: 'ballast/operator:1', priorityClassName: 'low' };
const made = (spec: SpecPart = {}, replicas = 2, given = settings) => {
  const deployment = makeDeployment(spec);
  return placeholders(deployment, renderPodTemplate(deployment, 'abc', testDefaults), replicas, given);
};

describe('placeholders', () => {
  test('ask for what the model’s pods ask for, in the same places, and carry no label that finds replicas', () => {
    const { spec, metadata } = made({
      runtime: {
        resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '1Gi' } },
        pod: { nodeSelector: { disk: 'ssd' }, tolerations: [{ key: 'gpu', operator: 'Exists' }] },
      },
    });
    const pod = spec.template.spec;
    expect(pod.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '2', memory: '1Gi' }, limits: { memory: '1Gi' } },
    ]);
    expect(pod).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'gpu', operator: 'Exists' }],
      priorityClassName: 'low',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
    });
    const labels = [metadata.labels, spec.template.metadata?.labels, spec.selector.matchLabels];
    expect(labels.flatMap((one) => Object.keys(one ?? {}))).not.toContain('ballast.dev/model-deployment');
    expect(spec.replicas).toBe(2);
  });

  test('run the model’s image where it is Ballast’s, so that a new node has pulled it; else the operator’s', () => {
    const imageOf = (spec: SpecPart) => made(spec).spec.template.spec.containers[0]?.image;
    expect(imageOf({})).toBe(testDefaults.image);
    expect(imageOf({ runtime: { image: 'shop/own:1' } })).toBe('ballast/operator:1');
  });

  test('without a PriorityClass name none', () => {
    const { spec } = made({}, 1, { ...settings, priorityClassName: '' });
    expect(spec.template.spec).not.toHaveProperty('priorityClassName');
  });
});

describe('what is kept', () => {
  const buffer = (
    replicas: number,
    conditions: NonNullable<NonNullable<CapacityBuffer['status']>['conditions']>,
  ): CapacityBuffer => ({
    ...capacityBuffer(makeDeployment(), 'abc', replicas, 'v1beta1'),
    status: { conditions },
  });
  const ready = { type: 'ReadyForProvisioning', status: 'True' };
  test.each([
    ['nobody has answered', 2, [], 'unknown', /no node autoscaler has answered yet/],
    [
      'nodes are being made',
      2,
      [ready, { type: 'Provisioning', status: 'False', reason: 'RequiresNewCapacity', message: '1/2' }],
      'unknown',
      /RequiresNewCapacity: 1\/2$/,
    ],
    ['it is there', 2, [ready, { type: 'Provisioning', status: 'True' }], 2, /all of it is on nodes/],
    [
      'the Deployment is not found',
      2,
      [{ type: 'ReadyForProvisioning', status: 'False', reason: 'ScalableRefNotFound' }],
      0,
      /ScalableRefNotFound$/,
    ],
    ['none is wanted', 0, [], 0, /no room is asked for/],
  ])('by a CapacityBuffer: %s', (_, replicas, conditions, inPlace, sentence) => {
    expect(keptByBuffer(buffer(replicas, conditions))).toMatchObject({
      form: 'CapacityBuffer',
      replicas,
      inPlace,
      sentence: expect.stringMatching(sentence),
    });
  });

  test('a verdict about an earlier size is none', () => {
    const old = buffer(2, [{ type: 'Provisioning', status: 'True', observedGeneration: 1 }]);
    expect(keptByBuffer({ ...old, metadata: { ...old.metadata, generation: 2 } }).inPlace).toBe('unknown');
  });

  test('by placeholders: those that are in place', () => {
    const kept = keptByPlaceholders({ ...made(), status: { readyReplicas: 1 } }, true);
    expect(kept).toMatchObject({ form: 'Placeholders', replicas: 2, inPlace: 1 });
    expect(kept.sentence).toBe(
      'Deployment wine-headroom: 1 of 2 placeholder pods are in place; they give way to any pod of the model',
    );
    expect(keptByPlaceholders(made({}, 1), false).sentence).toMatch(/for lack of a PriorityClass$/);
  });

  test('that their controller has not looked at yet are not known to be in place, and not 0', () => {
    const young = keptByPlaceholders(made(), true);
    expect(young.inPlace).toBe('unknown');
    expect(young.sentence).toMatch(
      /: 2 placeholder pods, not known yet how many are in place; they give way/,
    );
    // Kubernetes leaves a 0 out.
    const waiting = keptByPlaceholders({ ...made(), status: { observedGeneration: 1 } }, true);
    expect(waiting).toMatchObject({
      inPlace: 0,
      sentence: expect.stringContaining(': 0 of 2 placeholder pods'),
    });
    expect(keptByPlaceholders(made({}, 0), true).inPlace).toBe(0);
  });
});

test('an object of the name is ours by its owner alone', () => {
  const deployment = makeDeployment();
  expect(isOwnHeadroom(made(), deployment)).toBe(true);
  expect(isOwnHeadroom({ metadata: { name: 'wine-headroom' } }, deployment)).toBe(false);
});
