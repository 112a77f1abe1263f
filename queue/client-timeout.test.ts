import { describe, expect, test } from '@jest/globals';
import { allowedMs, clientTimeoutMs } from './client-timeout.ts';

describe('deadlines of clients', () => {
  test.each([
    ['none: the timeout of the deployment', undefined, 1_000],
    ['a shorter one counts', 200, 200],
    ['a longer one does not', 5_000, 1_000],
    ['0 says nothing', 0, 1_000],
  ])('%s', (_name, clientMs, allowed) => {
    expect(allowedMs(1_000, clientMs)).toBe(allowed);
  });

  test.each([
    ['ours', { 'ballast-deadline-ms': '250' }, 250],
    ['ours before others', { 'x-request-timeout-ms': '9', 'ballast-deadline-ms': '250' }, 250],
    ["Knative's and others'", { 'x-request-timeout-ms': '250' }, 250],
    ["Envoy's", { 'x-envoy-expected-rq-timeout-ms': '15' }, 15],
    ['one that is no whole number', { 'ballast-deadline-ms': '1.5' }, undefined],
    ['a word', { 'x-request-timeout-ms': 'soon' }, undefined],
    ['a negative one', { 'ballast-deadline-ms': '-1' }, undefined],
    ['one that is there twice', { 'ballast-deadline-ms': ['1', '2'] }, undefined],
    ['none', {}, undefined],
  ])('reads %s', (_name, headers, ms) => {
    expect(clientTimeoutMs(headers)).toBe(ms);
  });
});
