import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { customScenarios } from './testing/custom-scenarios.ts';
import { type Outcome, replay } from './testing/replay.ts';
import { builtInScenarios } from './testing/scenarios.ts';

interface Recorded extends Outcome {
  readonly status?: number;
}

const recorded = JSON.parse(
  readFileSync(new URL('./testing/recorded.json', import.meta.url), 'utf8'),
) as Record<string, Recorded[]>;
const withoutName = (text: string) => text.replace(/^[A-Z]\w*(\.[\w.]+)? "[^"]*" is invalid: /, '');

describe('writes end as on a real kube-apiserver', () => {
  for (const scenario of [...builtInScenarios, ...customScenarios]) {
    const outcomes = replay(scenario);
    scenario.steps.forEach((step, index) => {
      test(`${scenario.name}: step ${index + 1}, ${step.verb} by ${step.manager}`, () => {
        const real = recorded[scenario.name]?.[index];
        const mine = outcomes[index];
        if (real?.error !== undefined) {
          expect(withoutName(mine?.error ?? '(accepted)')).toBe(withoutName(real.error));
          return;
        }
        expect(mine).toEqual({ object: real?.object, changed: real?.changed });
      });
    });
  }
});
