/** What a request is by its path: nobody gets past the queue by writing it in another way. */
import { expect, test } from '@jest/globals';
import { isInference, probeOf } from './paths.ts';

test.each([
  ['/v2/models/m/infer', true],
  ['/v2/models/m/versions/1/infer?x=1', true],
  ['/v2/models/m/infer/', true],
  ['/v1/models/m:predict', true],
  ['http://other/v2/models/m/infer', true],
  ['HTTPS://other:1/v2/models/m/versions/2/infer', true],
  ['http://other/v1/models/m:predict', true],
  ['/v2/models/m', false],
  ['/v2/models/m/infer/more', false],
  ['http://other', false],
  ['*', false],
])('POST %s is inference: %s', (url, is) => {
  expect(isInference('POST', url)).toBe(is);
  expect(isInference('GET', url)).toBe(false);
});

test.each([
  ['/v2/health/live', 'live'],
  ['http://other/v2/health/ready', 'ready'],
  ['http://other/v2/models/m/ready', 'ready'],
  ['/v2/models/m', undefined],
])('GET %s is a probe: %s', (url, kind) => {
  expect(probeOf('GET', url)).toBe(kind);
});
