/** Simulated nodes: pods run on them, Karpenter buys one for pods that do not fit and gives it back. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import type { Body, Client } from '../../conformance/support/client.ts';
import { said } from '../../conformance/support/words.ts';
import { type RealCluster, startRealCluster } from '../cluster.ts';
import { missingForNodes } from '../packages.ts';
import { clientOf, podsOf, readyPods, until } from './pods.ts';

let cluster: RealCluster;
let client: Client;

beforeAll(async () => {
  cluster = await startRealCluster({ kwokNodes: 2, kwokNode: { cpu: '4', memory: '8Gi' }, karpenter: true });
  client = await clientOf(cluster.kubeconfigPath);
}, 300_000);

afterAll(async () => {
  await client?.close();
  await cluster?.stop();
}, 60_000);

async function deploy(name: string, replicas: number, cpu: string, extra: object = {}): Promise<void> {
  const labels = { app: name };
  const containers = [{ name: 'any', image: 'any', resources: { requests: { cpu } } }];
  const answer = await client.post('/apis/apps/v1/namespaces/default/deployments', {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...extra } },
    },
  });
  if (answer.status !== 201) throw new Error(`${said(answer)} ${answer.text}`);
}

const bought = async (): Promise<readonly Body[]> =>
  (await client.get('/api/v1/nodes', { labelSelector: 'karpenter.sh/nodepool=default' })).body.items;

test('pods run on simulated nodes, each at an address where nobody answers', async () => {
  await deploy('small', 20, '100m');
  const pods = await readyPods(client, 'small', 20);
  expect(new Set(pods.map(({ node }) => node))).toEqual(new Set(['kwok-1', 'kwok-2']));
  expect(new Set(pods.map(({ ip }) => ip)).size).toBe(20);
  const start = cluster.simulatedRange.split('.').slice(0, 2).join('.');
  for (const { ip } of pods) expect(ip.startsWith(`${start}.`)).toBe(true);
  if (missingForNodes() === undefined)
    await expect(request(`http://${pods[0]?.ip}:8080/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('what does not fit brings nodes, one per zone for pods that are spread, with their price', async () => {
  await deploy('large', 3, '6', {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'large' } },
      },
    ],
  });
  const pods = await readyPods(client, 'large', 3);
  const nodes = await bought();
  expect(new Set(pods.map(({ node }) => node))).toEqual(new Set(nodes.map((node) => node.metadata.name)));
  const labels = nodes.map((node) => node.metadata.labels ?? {});
  expect(labels.map((one) => one['topology.kubernetes.io/zone']).sort()).toEqual([
    'zone-a',
    'zone-b',
    'zone-c',
  ]);
  for (const one of labels) {
    expect(one['node.kubernetes.io/instance-type']).toBe('cpu-8');
    expect(Number(one['eks-node-viewer/instance-price'])).toBe(0.32);
  }
});

test('what is no longer needed is given back', async () => {
  await client.delete('/apis/apps/v1/namespaces/default/deployments/large');
  await until('no bought node is left', 240_000, bought, (nodes) => nodes.length === 0);
  expect(await podsOf(client, 'small')).toHaveLength(20);
}, 300_000);
