/** Random writes sent to the real and to the embedded server at once: whatever one answers the other must answer too. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { staticAuth } from '../../kube/auth.ts';
import { pathOf, resources } from '../../kube/resource.ts';
import { openClient } from '../conformance/support/client.ts';
import { type CustomDefinition, openCluster } from '../conformance/support/cluster.ts';
import { startEmbedded } from '../conformance/support/embedded.ts';
import { thingDefinition } from '../conformance/support/objects.ts';
import { chance } from './differential/chance.ts';
import { type Difference, findDifference, type Side, shrink } from './differential/run.ts';
import { thingSchema, thingStatusSchema } from './differential/specs.ts';
import { type Family, families, randomSteps, type Step } from './differential/steps.ts';

const sequences = Number(process.env.DIFFERENTIAL_SEQUENCES ?? 25);
const firstSeed = Number(process.env.DIFFERENTIAL_SEED ?? 1);
const only = process.env.DIFFERENTIAL_FAMILY;
const length = Number(process.env.DIFFERENTIAL_LENGTH ?? 10);

const real = await openCluster();
const server = await startEmbedded();
const embedded = await openClient(staticAuth(server.url, server.token));
afterAll(async () => {
  await embedded.close();
  await server.close();
});

const group = `${real.unique('random')}.test`;
const definition = thingDefinition(group, thingSchema, {
  status: thingStatusSchema,
  version: {
    subresources: {
      status: {},
      scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.replicas' },
    },
  },
});
const models = load(
  readFileSync(join(import.meta.dirname, '../../crds/generated/modeldeployment.crd.yaml'), 'utf8'),
) as CustomDefinition;
const custom: Record<string, string> = {
  things: await real.install(definition as never),
  modeldeployments: await real.install(models),
};
await embedded.post('/api/v1/namespaces', {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: real.namespace },
});
for (const one of [definition, models])
  await embedded.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', one);
for (const path of Object.values(custom))
  await real.eventually(
    () => embedded.get(path),
    ({ status }) => status === 200,
  );

const path = (plural: string) => {
  const type = Object.values(resources).find((one) => one.plural === plural);
  if (custom[plural] !== undefined) return custom[plural];
  if (type === undefined) throw new Error(`kube/resource.ts does not know ${plural}`);
  return pathOf(type, { namespace: real.namespace });
};
const sides: [Side, Side] = [
  { client: real, path },
  { client: embedded, path },
];

/** A failing sequence, shortened, as a text from which it can be sent again. */
async function report(
  family: Family,
  key: string,
  seed: number,
  steps: Step[],
  found: Difference,
): Promise<string> {
  let tries = 0;
  const differs = async (some: readonly Step[]) =>
    (await findDifference(...sides, family, group, `x${seed}-${++tries}`, some)) !== undefined;
  const upToIt = steps.slice(0, found.at + 1);
  const short = (await differs(upToIt)) ? await shrink(upToIt, differs) : upToIt;
  const last = (await findDifference(...sides, family, group, `x${seed}-last`, short)) ?? found;
  return [
    `seed ${seed} of ${key} differs at step ${last.at} of`,
    JSON.stringify(short, null, 1),
    `real:     ${JSON.stringify(last.real)}`,
    `embedded: ${JSON.stringify(last.embedded)}`,
    `again: DIFFERENTIAL_FAMILY=${key} DIFFERENTIAL_SEED=${seed} DIFFERENTIAL_SEQUENCES=1 npm run test:kube -- test/kube/differential.test.ts`,
  ].join('\n');
}

const seeds = Array.from({ length: sequences }, (_, index) => firstSeed + index);
const chosen = Object.entries(families).filter(
  ([key]) => only === undefined || only.split(',').includes(key),
);
describe.each(chosen)('random writes to a %s', (key, family) => {
  test.each(seeds)('seed %i', async (seed) => {
    const steps = randomSteps(chance(seed * 31 + key.length), family, length);
    const found = await findDifference(...sides, family, group, `x${seed}`, steps);
    if (found !== undefined) throw new Error(await report(family, key, seed, steps, found));
    expect(found).toBeUndefined();
  });
});
