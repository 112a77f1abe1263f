/**
 * The simulator's HorizontalPodAutoscaler against Kubernetes' own controller, look by look: the same pods and samples must
 * come to the same replicas. How the files came to be: bench/fidelity/README.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Recording, readRecordings, replayed } from './recorded/replayed.ts';

const recordings = (name: string) =>
  readRecordings(readFileSync(join(import.meta.dirname, 'recorded', `${name}.jsonl`), 'utf8'));
const label = ({ setting: { scenario, target, behavior } }: Recording) =>
  `${scenario}: ${target} %${behavior ? '' : ', without behavior'}`;

const controller = recordings('hpa-controller');
test.each(controller.map((one) => [label(one), one] as const))(
  'the controller of Kubernetes 1.36.3, made-up deployment %s',
  (_, recording) => {
    const { looks } = recording;
    expect(replayed(recording)).toEqual(looks.map(({ at, proposed, asked }) => ({ at, proposed, asked })));
  },
);

const cluster = recordings('hpa-cluster');
test.each(cluster.map((one) => [label(one), one] as const))(
  'the HorizontalPodAutoscaler of %s with metrics-server',
  (_, recording) => {
    const { looks } = recording;
    const ours = replayed(recording);
    expect(looks.length).toBeGreaterThan(5);
    // Pods and samples were polled twice a second: one look may have seen a newer sample than was written down.
    const off = looks.map((look, index) => Math.abs(look.asked - (ours[index]?.asked ?? Number.NaN)));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
    expect(off.filter((one) => one > 0).length).toBeLessThanOrEqual(1);
  },
);

test('what was recorded goes up, down, and without samples nowhere', () => {
  const looks = controller.flatMap(({ looks }) => looks);
  expect(looks.length).toBeGreaterThan(200);
  expect(looks.filter(({ asked, replicas }) => asked > replicas).length).toBeGreaterThan(10);
  expect(looks.filter(({ asked, replicas }) => asked < replicas).length).toBeGreaterThan(5);
  expect(looks.filter(({ proposed, asked }) => proposed >= 0 && proposed < asked).length).toBeGreaterThan(10);
  expect(looks.filter(({ proposed }) => proposed < 0).length).toBeGreaterThan(5);
});
