/** A file of defaults under a running operator: new revisions take it, running ones stay, the network's part reaches them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ConfigMap, Deployment, NetworkPolicy } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { parseConfig } from '../../operator/config.ts';
import { startOperator } from '../../operator/operator.ts';
import {
  childrenOf,
  condition,
  createModel,
  eventually,
  namespace,
  type OperatorBed,
  patchModel,
  startOperatorBed,
} from './operator-bed.ts';

let bed: OperatorBed;
const folder = mkdtempSync(join(tmpdir(), 'ballast-defaults-'));
const file = join(folder, 'defaults.yaml');
const write = (image: string, proxy: string) =>
  writeFileSync(
    file,
    `image: ${image}\npod: {labels: {team: ml}}\nnetworkPolicy: Restricted\nfetch: {httpsProxy: "${proxy}"}\n`,
  );

beforeAll(async () => {
  write('fleet/pod:1', 'http://proxy.example.com:3128');
  bed = await startOperatorBed({ flags: ['--defaults-file', file] });
}, 60_000);
afterAll(async () => {
  await bed.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const deployments = () => childrenOf<Deployment>(bed.api, resources.deployments, 'wine');
const images = async () =>
  (await deployments())
    .filter(({ spec }) => spec.replicas !== 0)
    .map(({ spec }) => spec.template.spec.containers[0]?.image);
const proxyOf = async () => {
  const ref = { name: 'wine-config', namespace };
  const { data } = await bed.api.get<ConfigMap>(resources.configMaps, ref);
  return JSON.parse(data?.['config.json'] ?? '{}').fetch?.httpsProxy;
};

test('defaults are taken, followed without a restart, and kept when the file breaks', async () => {
  await createModel(bed.api, 'wine', { model: { uri: 'https://models.example.com/wine.onnx' } });
  await condition(bed.api, 'wine', 'Ready', 'True');
  const [first] = await deployments();
  expect(first?.spec.template.metadata?.labels).toMatchObject({ team: 'ml' });
  expect(await images()).toEqual(['fleet/pod:1']);
  expect(await proxyOf()).toBe('http://proxy.example.com:3128');
  const [policy] = await childrenOf<NetworkPolicy>(bed.api, resources.networkPolicies, 'wine');
  expect(JSON.stringify(policy?.spec)).toContain('"port":3128');

  write('fleet/pod:2', 'http://proxy.example.com:8080');
  await eventually(
    'the new proxy is told',
    async () => (await proxyOf()) === 'http://proxy.example.com:8080',
  );
  await condition(bed.api, 'wine', 'Ready', 'True');
  const [same] = await deployments();
  expect(same?.metadata.generation).toBe(first?.metadata.generation);
  expect(await images()).toEqual(['fleet/pod:1']);

  writeFileSync(file, 'imgae: fleet/pod:3\n');
  await eventually('the broken file is told', () => bed.operator.metrics.value('defaults_file_broken') === 1);
  await patchModel(bed.api, 'wine', { runtime: { threads: 2 } });
  await condition(bed.api, 'wine', 'Ready', 'True');
  await eventually('the next revision runs', async () => (await images()).join() === 'fleet/pod:2');
}, 60_000);

test('a file that is broken at start is a start error that names the key', async () => {
  writeFileSync(file, 'pod: {nodeSelectr: {}}\n');
  const config = parseConfig(['--defaults-file', file, '--kubeconfig', bed.cluster.kubeconfigPath], {});
  await expect(startOperator(config)).rejects.toThrow(/^--defaults-file .*: unknown key pod\.nodeSelectr$/);
});
