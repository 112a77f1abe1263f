/** Probes on a held clock: periods and thresholds to the second. */
import { describe, expect, test } from '@jest/globals';
import { HeldClock } from '../../kube/clock.ts';
import type { Container } from '../../kube/objects.ts';
import type { CheckResult } from './probe-check.ts';
import { runProbes } from './probe-loop.ts';

const good: CheckResult = { ok: true, output: '' };
const bad: CheckResult = { ok: false, output: 'bad' };
const handler = { httpGet: { port: 1 } };

/** `answer` is asked at each check with the seconds since the start; what happens is told with its second. */
function watch(probes: Partial<Container>, answer: (kind: string, second: number) => CheckResult) {
  const clock = new HeldClock();
  const told: string[] = [];
  const second = () => clock.monotonicMs() / 1000;
  const tell = (what: string) => void told.push(`${what}@${second()}`);
  const stop = new AbortController();
  const ending = new AbortController();
  runProbes(
    { name: 'c', image: 'i', ...probes },
    {
      clock,
      check: async (probe) => {
        const kind =
          probe === probes.livenessProbe
            ? 'liveness'
            : probe === probes.readinessProbe
              ? 'readiness'
              : 'startup';
        return answer(kind, second());
      },
      onStarted: () => tell('started'),
      onReady: (ready) => tell(ready ? 'ready' : 'unready'),
      onKill: (kind) => tell(`kill by ${kind}`),
      onFailure: (kind) => tell(`failed ${kind}`),
    },
    stop.signal,
    ending.signal,
  );
  return { clock, told, stop, ending };
}

describe('probes', () => {
  test('none: started and ready at once', () => {
    expect(watch({}, () => good).told).toEqual(['started@0', 'ready@0']);
  });

  test('readiness waits for its delay and needs its thresholds', async () => {
    const { clock, told } = watch(
      {
        readinessProbe: {
          ...handler,
          initialDelaySeconds: 2,
          periodSeconds: 5,
          successThreshold: 2,
          failureThreshold: 2,
        },
      },
      (_, second) => (second < 20 ? good : bad),
    );
    await clock.run(40_000);
    expect([...new Set(told)]).toEqual([
      'started@0',
      'ready@7',
      'ready@12',
      'ready@17',
      'failed readiness@22',
      'failed readiness@27',
      'unready@27',
      'failed readiness@32',
      'unready@32',
      'failed readiness@37',
      'unready@37',
    ]);
  });

  test('liveness kills after failureThreshold failures in a row, and once', async () => {
    let checks = 0;
    const { clock, told } = watch(
      { livenessProbe: { ...handler, periodSeconds: 10, failureThreshold: 3 } },
      () => [bad, bad, good, bad, bad, bad, bad][checks++] ?? bad,
    );
    await clock.run(200_000);
    expect(told.filter((line) => line.startsWith('kill'))).toEqual(['kill by liveness@50']);
  });

  test('the startup probe holds liveness and readiness back', async () => {
    const asked: string[] = [];
    const { clock, told } = watch(
      {
        startupProbe: { ...handler, periodSeconds: 10, failureThreshold: 5 },
        livenessProbe: { ...handler, periodSeconds: 1, failureThreshold: 1 },
        readinessProbe: { ...handler, periodSeconds: 1 },
      },
      (kind, second) => {
        asked.push(`${kind}@${second}`);
        return second < 20 ? bad : good;
      },
    );
    await clock.run(20_500);
    expect(asked.filter((line) => !line.startsWith('startup'))).toEqual(['readiness@20', 'liveness@20']);
    expect(told.slice(-2)).toEqual(['started@20', 'ready@20']);
  });

  test('a startup probe that never passes kills', async () => {
    const { clock, told } = watch(
      { startupProbe: { ...handler, periodSeconds: 10, failureThreshold: 3 } },
      () => bad,
    );
    await clock.run(60_000);
    expect(told.filter((line) => line.startsWith('kill'))).toEqual(['kill by startup@20']);
  });

  test('a process that starts is asked again soon, within the first period only', async () => {
    const { clock, told } = watch({ readinessProbe: { ...handler, periodSeconds: 1 } }, (_, second) =>
      second < 0.3 ? bad : good,
    );
    await clock.run(500);
    expect(told).toEqual(['started@0', 'ready@0.3']);
    let asked = 0;
    const never = watch({ readinessProbe: { ...handler, periodSeconds: 1 } }, () => {
      asked++;
      return bad;
    });
    await never.clock.run(3_500);
    expect(never.told.filter((line) => line.startsWith('failed')).length).toBe(4);
    expect(asked).toBeLessThan(15);
    const command = watch({ readinessProbe: { exec: { command: ['x'] }, periodSeconds: 1 } }, () => bad);
    await command.clock.run(500);
    expect(command.told).toEqual(['started@0', 'failed readiness@0']);
  });

  test('readiness goes on while the pod is ended, liveness does not', async () => {
    const asked: string[] = [];
    const { clock, ending, stop } = watch(
      { livenessProbe: { ...handler, periodSeconds: 1 }, readinessProbe: { ...handler, periodSeconds: 1 } },
      (kind) => {
        asked.push(kind);
        return good;
      },
    );
    await clock.run(100);
    ending.abort();
    asked.length = 0;
    await clock.run(3_000);
    expect(new Set(asked)).toEqual(new Set(['readiness']));
    stop.abort();
    asked.length = 0;
    await clock.run(3_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
