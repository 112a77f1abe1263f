/** Ballast as a user meets it: `helm install` on a real Kubernetes of two real nodes, real containers, real faults. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { readAuditLog } from '../rbac/audit-log.ts';
import { renderRbac } from '../rbac/bound-account.ts';
import { judge, saveObservation } from '../rbac/evidence.ts';
import { grantsOf } from '../rbac/permissions.ts';
import { installValues, releaseNamespace, startBed } from './bed.ts';
import { faultRows } from './faults.ts';
import { gatewayRows } from './gateway.ts';
import { installToPrediction } from './installation.ts';
import { releaseRows } from './release.ts';
import { rolloutRows } from './rollouts.ts';
import { fallenRow, servingRows } from './serving.ts';
import { makeModelVolume, sourceRows } from './sources.ts';

jest.setTimeout(240_000);
const startMs = Date.now();
const say = (line: string) =>
  process.stderr.write(`${((Date.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);

const bed = await startBed(say);
void bed.cluster.broken.then(say);
afterAll(() => bed.stop(), 120_000);
beforeAll(async () => {
  await installToPrediction(bed);
  await makeModelVolume(bed);
}, 180_000);

// However a row ended, the next one finds two nodes and, of the models, those that it may expect.
afterEach(async () => {
  for (const { name } of bed.cluster.nodes) await bed.kubectl('uncordon', name);
  await bed.clear();
});

servingRows(bed);
gatewayRows(bed);
rolloutRows(bed);
sourceRows(bed);
faultRows(bed);
fallenRow(bed);

test('the operator asked for nothing that the chart does not grant', async () => {
  const account = { namespace: releaseNamespace, name: 'ballast' };
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  const requests = readAuditLog(bed.cluster.auditLogPath ?? '', user);
  const grants = grantsOf(await renderRbac('ballast', releaseNamespace, installValues), account);
  saveObservation({ suite: 'end to end', mode: 'a namespace by name, and nodes', grants, requests });
  say(`${requests.length} requests of the operator, ${grants.length} rights`);
  expect(requests.length).toBeGreaterThan(100);
  expect(judge({ requests, grants }).missing).toEqual([]);
});

// Last, for at the end of it the operator's rights go before the operator does.
releaseRows(bed);
