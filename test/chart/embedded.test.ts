/** The chart on the embedded API server: helm 4 there does what it does on a real one, as far as no pod must run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openBed } from '../conformance/support/kubectl-bed.ts';
import { chart, root } from './support/render.ts';

const { api, helm, kubectl, file } = await openBed('35');
const replicas = () => kubectl('get deployment ballast -o jsonpath={.spec.replicas}');

test('installs with everything on, upgrades, rolls back', async () => {
  expect(
    await helm(`install ballast ${chart} --set replicas=2,nodes.read=true,rbac.aggregate=true`),
  ).toContain('STATUS: deployed');
  expect(await replicas()).toBe('2');
  expect(await kubectl('get pdb,role,rolebinding,sa -o name')).toContain(
    'poddisruptionbudget.policy/ballast',
  );
  await helm(
    `upgrade ballast ${chart} --set networkPolicy.enabled=true,proxy.httpsProxy=http://proxy.example.com:3128`,
  );
  expect(await replicas()).toBe('1');
  expect(await kubectl('get networkpolicies,configmaps -o name')).toContain('configmap/ballast-defaults');
  await helm('rollback ballast 1');
  expect(await replicas()).toBe('2');
  expect(await kubectl('get networkpolicies -o name')).toBe('');
});

test('uninstalling keeps ModelDeployments, and removes them when that was chosen', async () => {
  file('wine.yaml', readFileSync(join(root, 'samples/wine/modeldeployment.yaml'), 'utf8'));
  await kubectl('apply -f wine.yaml');
  await helm('uninstall ballast');
  expect(await kubectl('get md -o name')).toBe('modeldeployment.ballast.dev/wine\n');
  await helm(`install ballast ${chart} --set crds.keep=false`);
  await helm('uninstall ballast');
  await api.eventually(
    () => api.get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/modeldeployments.ballast.dev'),
    ({ status }) => status === 404,
  );
});
