/** The first minute of a user: `helm install`, `kubectl apply`, and a prediction. */
import { type Bed, chart, installValues, releaseNamespace, sampleFile, until } from './bed.ts';
import { expectGolden } from './golden.ts';

const set = (values: readonly string[]) => values.flatMap((value) => ['--set', value]);

/** Arguments with which helm installs or upgrades the release. */
export const release = (...values: readonly string[]): string[] => [
  'ballast',
  chart,
  '--namespace',
  releaseNamespace,
  ...set([...installValues, ...values]),
];

/** Installs the chart, applies the sample wine and waits for its first answer; prints the seconds. */
export async function installToPrediction(bed: Bed): Promise<void> {
  const startMs = Date.now();
  const seconds = () => ((Date.now() - startMs) / 1_000).toFixed(1);
  await bed.helm(['install', ...release()]);
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
