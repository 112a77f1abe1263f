import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { report } from '../model/scaling/testing/build.ts';
import { parseReport } from './report.ts';

const good = report({ rate: 10 });
const body = (changes: Record<string, unknown>) => JSON.stringify({ ...good, ...changes });

describe('parseReport', () => {
  test('gives back a good report, unknown fields of newer pods left out', () => {
    expect(parseReport(body({ gpuSeconds: 3 }))).toEqual({ report: good });
  });

  test.each([
    ['no JSON', '{"version":', 'no JSON'],
    ['another version', body({ version: 2 }), 'version'],
    ['a negative count', body({ counters: { ...good.counters, arrivals: -1 } }), 'counters.arrivals'],
    ['NaN, which JSON writes as null', body({ queueLength: Number.NaN }), 'queueLength'],
    ['an infinite number', body({}).replace('"queueLength":0', '"queueLength":1e999'), 'queueLength'],
    ['half a request', body({ counters: { ...good.counters, failed: 0.5 } }), 'counters.failed'],
    ['an absurd count', body({ inFlight: 1e16 }), 'inFlight'],
    ['no instance', body({ instance: '' }), 'instance'],
    ['too few counts', body({ latency: { boundsMs: [1, 2], counts: [0, 0] } }), 'latency'],
    ['bounds that fall', body({ latency: { boundsMs: [2, 1], counts: [0, 0, 0] } }), 'latency'],
    ['too many seconds', body({ seconds: [...good.seconds, ...good.seconds] }), 'seconds'],
    ['seconds out of order', body({ seconds: [...good.seconds].reverse() }), 'seconds'],
    ['seconds after now', body({ uptimeMs: 50_000 }), 'seconds'],
    [
      'an absurd second',
      body({ seconds: good.seconds.map((second) => ({ ...second, arrivals: 1e7 })) }),
      'seconds.0.arrivals',
    ],
    ['a list', '[]', 'report'],
  ])('refuses %s', (_name, text, where) => {
    const parsed = parseReport(text);
    expect('refused' in parsed ? parsed.refused : 'accepted').toContain(where);
  });

  test('never throws, whatever it reads', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseReport(text)).toHaveProperty('refused');
      }),
    );
  });
});
