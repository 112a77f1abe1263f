/** The operator's own HTTP: liveness without conditions, readiness with reasons, metrics in Prometheus' format. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ProbedPort } from '../../kube/probed-port.ts';
import { renderSamples } from './metrics.ts';
import { startOpsServer } from './ops-server.ts';

let server: ProbedPort | undefined;
afterEach(async () => {
  await server?.close();
});
const start = async (unready: string[], metrics: () => Promise<string> = async () => 'a 1\n') => {
  server = await startOpsServer({ host: '127.0.0.1', port: 0, unready: () => unready, metrics });
  return async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${server?.port}${path}`, init);
    return [answer.status, await answer.text()];
  };
};

describe('ops server', () => {
  test('lives though it is not ready, and says what is missing', async () => {
    const get = await start(['caches: no fresh list of pods']);
    expect(await get('/livez')).toEqual([200, 'ok\n']);
    expect(await get('/readyz')).toEqual([503, 'caches: no fresh list of pods\n']);
  });
  test('is ready when nothing is missing', async () => {
    const get = await start([]);
    expect(await get('/readyz')).toEqual([200, 'ok\n']);
    expect(await get('/metrics')).toEqual([200, 'a 1\n']);
    expect((await get('/other'))[0]).toBe(404);
    expect((await get('/livez', { method: 'POST' }))[0]).toBe(405);
  });
  test('survives metrics that cannot be read', async () => {
    const get = await start([], () => Promise.reject(new Error('x')));
    expect((await get('/metrics'))[0]).toBe(500);
    expect((await get('/livez'))[0]).toBe(200);
  });
});

test('what is known by name has its meaning, a summary on both of its series', () => {
  const text = renderSamples([
    { name: 'leader', kind: 'gauge', labels: {}, value: 1 },
    { name: 'reconcile_seconds_sum', kind: 'counter', labels: {}, value: 2 },
  ]);
  expect(text).toMatch(/^# HELP ballast_operator_leader 1 in .+\n# TYPE ballast_operator_leader gauge\n/);
  expect(text).toMatch(/^# HELP ballast_operator_reconcile_seconds_sum How long/m);
});

test('series are grouped by name, labels escaped', () => {
  expect(
    renderSamples([
      { name: 'b_total', kind: 'counter', labels: { kind: 'A"\\\n' }, value: 1 },
      { name: 'a', kind: 'gauge', labels: {}, value: 0.5 },
      { name: 'b_total', kind: 'counter', labels: { kind: 'B', verb: 'get' }, value: 2 },
    ]),
  ).toBe(
    [
      '# TYPE ballast_operator_a gauge',
      'ballast_operator_a 0.5',
      '# TYPE ballast_operator_b_total counter',
      'ballast_operator_b_total{kind="A\\"\\\\\\n"} 1',
      'ballast_operator_b_total{kind="B",verb="get"} 2',
      '',
    ].join('\n'),
  );
});
