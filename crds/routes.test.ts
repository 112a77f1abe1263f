import { describe, expect, test } from '@jest/globals';
import { type GatewayRoutes, parseRoutes } from './routes.ts';

const good: GatewayRoutes = {
  version: 1,
  model: 'wine',
  port: 20_000,
  backends: [{ revision: 'a', service: 'wine-a', deployment: 'wine-a', weight: 10_000 }],
  timeoutMs: 1_000,
  shedAt: 'SLA',
  latency: [{ percentile: 'p95', targetMs: 50 }],
  wake: { deployment: 'wine-a', maxHeldRequests: 100, replicas: 1 },
};
const text = (changes: Record<string, unknown>) => JSON.stringify({ ...good, ...changes });
const [backend] = good.backends;

describe('parseRoutes', () => {
  test('reads routes, and leaves out what a newer operator adds', () => {
    expect(parseRoutes(text({ affinity: 'later' }))).toEqual({ routes: good });
  });

  test.each([
    ['no key', undefined, 'routes.json'],
    ['no JSON', '{', 'no JSON'],
    ['another version', text({ version: 2 }), 'version'],
    ['no backends', text({ backends: [] }), 'backends'],
    ['a revision that is there twice', text({ backends: [backend, backend] }), 'twice'],
    ['a share above all', text({ backends: [{ ...backend, weight: 10_001 }] }), 'weight'],
    ['half a share', text({ backends: [{ ...backend, weight: 0.5 }] }), 'weight'],
    ['no port', text({ port: 0 }), 'port'],
    ['no time', text({ timeoutMs: 0 }), 'timeoutMs'],
    ['a promise of nothing', text({ latency: [{ percentile: 'p95', targetMs: 0 }] }), 'targetMs'],
    ['another way to shed', text({ shedAt: 'Never' }), 'shedAt'],
    ['a wake to more than one', text({ wake: { ...good.wake, replicas: 2 } }), 'wake.replicas'],
    [
      'a header name that is none',
      text({ headers: [{ name: 'a b', value: 'c', revision: 'a' }] }),
      'headers.0.name',
    ],
  ])('refuses %s', (_name, body, where) => {
    const parsed = parseRoutes(body);
    expect('refused' in parsed ? parsed.refused : 'accepted').toContain(where);
  });
});
