/** The cost of pods by hand arithmetic, and every way in which it is unknown. */
import { describe, expect, test } from '@jest/globals';
import type { PodTemplateSpec } from '../../kube/objects.ts';
import { costOf, type NodesReading, nodeFactsOf, requestOf } from './cost.ts';
import { formatPrice } from './status/cost.ts';

const label = 'eks-node-viewer/instance-price';
const node = (name: string, price: string | undefined, cpu = '4', memory = '16Gi') => ({
  metadata: { name, ...(price === undefined ? {} : { labels: { [label]: price } }) },
  status: { allocatable: { cpu, memory } },
});
const reading = (...nodes: ReturnType<typeof node>[]): NodesReading => ({
  priceLabel: label,
  byName: new Map(nodes.map((one) => [one.metadata.name, nodeFactsOf(one, label)])),
});
const asking = (cpu: string, memory: string): PodTemplateSpec => ({
  spec: { containers: [{ name: 'serve', image: 'i', resources: { requests: { cpu, memory } } }] },
});

describe('cost per hour', () => {
  test('is the larger share of cpu and memory of each node, times its price', () => {
    const cost = costOf(
      undefined,
      [
        // 1 of 4 CPUs is more than 2 of 16 GiB: a quarter of 0.40.
        { node: 'a', template: asking('1', '2Gi') },
        // 8 of 16 GiB is more than 1 of 4 CPUs: a half of 0.40.
        { node: 'a', template: asking('1', '8Gi') },
        // 500m of 2 CPUs: a quarter of 0.10.
        { node: 'b', template: asking('500m', '1Gi') },
      ],
      reading(node('a', '0.40'), node('b', '0.1', '2', '8Gi')),
    );
    expect(cost.perHour).toBeCloseTo(0.1 + 0.2 + 0.025, 12);
    expect(cost.perReplicaHour).toBeCloseTo(0.325 / 3, 12);
    expect(cost).toMatchObject({ source: 'NodePrice', again: false });
    expect(cost.message).toMatch(/^3 pods on 2 nodes, each at its share of the price in the node label eks/);
  });

  test('a pod never costs more than its node', () => {
    const cost = costOf(undefined, [{ node: 'a', template: asking('8', '1Gi') }], reading(node('a', '0.40')));
    expect(cost.perHour).toBe(0.4);
  });

  test('spec.cost.perReplicaHour comes first, for pods that have a node', () => {
    const placed = [
      { node: 'a', template: undefined },
      { node: 'b', template: undefined },
    ];
    expect(costOf('0.12', placed, reading(node('a', '9')))).toMatchObject({
      perHour: 0.24,
      perReplicaHour: 0.12,
      source: 'Spec',
      message: '2 pods at spec.cost.perReplicaHour',
    });
  });

  const one = [{ node: 'a', template: asking('1', '1Gi') }];
  const two = [...one, { node: 'b', template: asking('1', '1Gi') }];
  test.each<[string, Parameters<typeof costOf>[1], NodesReading | undefined, RegExp]>([
    ['nobody reads nodes', one, undefined, /nodes are not read; or write spec\.cost\.perReplicaHour/],
    ['nodes may not be read', one, { unread: 'may not' }, /^may not; or write/],
    [
      'one of two nodes has no price',
      two,
      reading(node('a', '1'), node('b', undefined)),
      /1 pod of 2 run on nodes without a price in the label eks\S+ \(node b\)/,
    ],
    ['the price is no number', one, reading(node('a', 'cheap')), /without a price/],
    ['the price is negative', one, reading(node('a', '-1')), /without a price/],
    [
      'the pods ask for nothing',
      [{ node: 'a', template: undefined }],
      reading(node('a', '1')),
      /ask for no cpu/,
    ],
    ['the node tells no size', one, reading(node('a', '1', 'much')), /does not tell its allocatable/],
    ['the node is not there yet', one, reading(), /node a is not known yet/],
  ])('is unknown, never 0, where %s', (_, placed, nodes, message) => {
    const cost = costOf(undefined, placed, nodes);
    expect(cost).toMatchObject({ perHour: 'unknown', perReplicaHour: 'unknown', source: 'Unknown' });
    expect(cost.message).toMatch(message);
    expect(cost.again).toBe(/not known yet/.test(cost.message));
  });

  test('nothing that runs costs 0, whatever is known', () => {
    expect(costOf(undefined, [], undefined)).toMatchObject({ perHour: 0, perReplicaHour: 'unknown' });
    expect(costOf('0.12', [], undefined)).toMatchObject({ perHour: 0, perReplicaHour: 0.12 });
  });

  test('a pod asks for its containers together, or for its largest init container', () => {
    const resources = (cpu: string) => ({ image: 'i', resources: { requests: { cpu } } });
    const template: PodTemplateSpec = {
      spec: {
        containers: [
          { name: 'a', ...resources('500m') },
          { name: 'b', ...resources('1') },
        ],
        initContainers: [{ name: 'c', ...resources('1200m') }],
      },
    };
    expect(requestOf(template, 'cpu')).toBe(1.5);
    expect(requestOf(template, 'memory')).toBe(0);
    expect(
      requestOf({ spec: { containers: [], initContainers: [{ name: 'c', ...resources('2') }] } }, 'cpu'),
    ).toBe(2);
  });

  test.each([
    [0, '0'],
    ['unknown', 'unknown'],
    [0.021_345, '0.0213'],
    [1.2, '1.2'],
    [1_239.6, '1240'],
    [0.000_000_4, '<0.000001'],
    [0.000_004_567, '0.00000457'],
  ] as const)('%p is written %s', (value, text) => {
    expect(formatPrice(value)).toBe(text);
  });
});
