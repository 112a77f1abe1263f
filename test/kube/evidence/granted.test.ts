/** The end of a run of `npm run test:kube`: over all its suites the operator needed every right that the chart gives. */
import { describe, expect, test } from '@jest/globals';
import { evidenceDir, judge, readObservations } from '../rbac/evidence.ts';

const dir = evidenceDir();
if (dir === undefined)
  throw new Error('run it with "npm run test:kube": the suites before it leave what they saw');
const observations = readObservations(dir);
const modes = [...new Set(observations.map(({ mode }) => mode))].sort();

describe('over all suites of this run', () => {
  test('the operator was watched in every way to install it', () => {
    expect(modes).toEqual(['a namespace by name, and nodes', 'all namespaces', 'its own namespace']);
    expect(observations.map(({ suite }) => suite)).toEqual(
      expect.arrayContaining(['rbac', 'operator', 'end to end']),
    );
  });

  test.each(observations)('$suite, $mode: nothing was refused', (observation) => {
    expect(judge(observation).missing).toEqual([]);
  });

  test.each(modes)('%s: every right was used', (mode) => {
    const ofMode = observations.filter((one) => one.mode === mode);
    // A right that one suite did not need, another did.
    const unused = ofMode.map((one) => new Set(judge(one).unused.map(withoutNames)));
    const never = [...(unused[0] ?? [])].filter((right) => unused.every((others) => others.has(right)));
    expect(never).toEqual([]);
  });
});

/** Roles that are named after a namespace have another name in each suite. */
const withoutNames = (right: string) => right.replace(/^[^ ]*: /, '');
