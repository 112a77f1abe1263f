/** The first minute of a user: `helm install`, `kubectl apply`, and a prediction. */

import { until } from '../../until.ts';
import { type Bed, chart, installValues, releaseNamespace, sampleFile } from './bed.ts';
import { expectGolden } from './golden.ts';

/** Arguments with which helm installs or upgrades the release: for one namespace, with a server of models in a private network. */
export function release({ server }: Bed, ...more: readonly string[]): string[] {
  const range = `${new URL(server.url).hostname}/32`;
  const values = [...installValues, `defaults.allowModelCidrs={${range}}`, ...more];
  const where = ['ballast', chart, '--namespace', releaseNamespace];
  return [
    ...where,
    ...values.flatMap((value) => ['--set', value]),
    '--set-file',
    `privateCA.pem=${server.authority}`,
  ];
}

/** Installs the chart, applies the sample wine and waits for its first answer; prints the seconds. */
export async function installToPrediction(bed: Bed): Promise<void> {
  const startMs = Date.now();
  const seconds = () => ((Date.now() - startMs) / 1_000).toFixed(1);
  await bed.helm(['install', ...release(bed)]);
  const installed = seconds();
  await bed.apply(sampleFile('wine', 'modeldeployment.yaml'));
  const answer = await until(
    'the first prediction',
    async () => {
      const { status, text } = await bed.infer('wine', sampleFile('wine', 'golden/request.json'));
      return status === 200 && text;
    },
    120_000,
    100,
  );
  bed.say(`helm install to the first prediction: ${seconds()} s (helm itself ${installed} s)`);
  expectGolden('wine', JSON.parse(answer));
}
