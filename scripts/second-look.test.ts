import { describe, expect, test } from '@jest/globals';
import { failuresIn, onlyFiles } from './second-look.ts';

const passes = {
  name: '/a/good.test.ts',
  status: 'passed',
  assertionResults: [{ fullName: 'x', status: 'passed' }],
};

describe('a second look', () => {
  test('counts failed tests and files that could not run, and names each', () => {
    const report = {
      numPassedTests: 2,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 1,
      testResults: [
        passes,
        {
          name: '/a/bad.test.ts',
          status: 'failed',
          assertionResults: [
            { fullName: 'one', status: 'passed' },
            { fullName: 'two', status: 'failed' },
          ],
        },
        { name: '/a/broken.test.ts', status: 'failed', assertionResults: [] },
      ],
    };
    expect(failuresIn(report)).toEqual({
      count: 2,
      files: ['/a/bad.test.ts', '/a/broken.test.ts'],
      names: ['/a/bad.test.ts: two', '/a/broken.test.ts'],
    });
    expect(
      failuresIn({
        numPassedTests: 1,
        numFailedTests: 0,
        numRuntimeErrorTestSuites: 0,
        testResults: [passes],
      }),
    ).toEqual({ count: 0, files: [], names: [] });
  });

  test.each([
    [
      ['test/kube', '--maxWorkers=1', '--testPathIgnorePatterns', '/e2e/'],
      ['--maxWorkers=1', '--testPathIgnorePatterns', '/e2e/'],
    ],
    [
      ['--config', 'jest.fault.config.js'],
      ['--config', 'jest.fault.config.js'],
    ],
    [['test/kube'], []],
    [[], []],
  ])('of %j keeps the flags and asks for the failed files alone', (words, flags) => {
    expect(onlyFiles(words, ['/a+b/bad.test.ts'])).toEqual(['^/a\\+b/bad\\.test\\.ts$', ...flags]);
  });
});
