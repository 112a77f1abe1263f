/** Random specs and status of a ModelDeployment: most of them good, some against a bound or a rule. */
import type { Random } from './chance.ts';
import { randomFields } from './specs.ts';

type Fields = Record<string, unknown>;

/** Spec of a ModelDeployment. */
export function modelSpec(random: Random): Fields {
  const duration = (good: readonly string[]) =>
    random.chance(0.1) ? random.pick(['5', '0ms', '9h']) : random.pick(good);
  const some = (makers: Record<string, () => unknown>, probability = 0.4) =>
    randomFields(random, makers, probability, 0.03);
  const env = () =>
    random.some(['A', 'B', random.chance(0.1) ? 'BALLAST_X' : 'C']).map((name) => ({
      name,
      ...some({ value: () => random.pick(['1', '2']) }, 0.8),
      ...(random.chance(0.2)
        ? { valueFrom: { secretKeyRef: { name: 's', key: random.pick(['k', 'l']) } } }
        : {}),
    }));
  const resources = () => ({
    limits: {
      cpu: random.pick([1, '1', '500m', 'x']),
      ...(random.chance(0.1) ? { 'nvidia.com/gpu': 1 } : {}),
    },
  });
  const pod = () =>
    some({
      nodeSelector: () => ({ [random.pick(['a', 'b'])]: 'c' }),
      labels: () => ({ [random.pick(['team', 'team', 'ballast.dev/x'])]: random.pick(['a', 'b']) }),
      imagePullSecrets: () => random.some(['s', 't', 't']).map((name) => ({ name })),
      tolerations: () => random.some(['t', 'u']).map((key) => ({ key, operator: 'Exists' })),
      affinity: () => ({ nodeAffinity: { weights: random.some([1, 2]) } }),
    });
  return {
    model: {
      uri: random.pick([
        'file:///samples/wine/model.onnx',
        'pvc://m/wine.onnx',
        random.chance(0.1) ? 'ftp://x' : 'https://h/m.onnx',
      ]),
      ...some({ version: () => random.pick(['1', '2']) }),
    },
    ...some({
      runtime: () =>
        some({
          image: () => random.pick(['i:1', 'i:2']),
          threads: () => random.below(4),
          env,
          resources,
          pod,
        }),
      sla: () =>
        some({
          latency: () =>
            some({ p50: () => duration(['10ms', '20ms']), p95: () => duration(['15ms', '50ms', '1s']) }, 0.7),
          errorRate: () => random.pick(['0.1%', '1%', '1']),
          window: () => duration(['1m', '5m']),
        }),
      traffic: () => some({ timeout: () => duration(['1s', '2s']) }, 0.8),
      scaling: () =>
        some({
          mode: () => random.pick(['SLA', 'Fixed', 'External']),
          minReplicas: () => random.below(4),
          maxReplicas: () => random.below(6),
          replicas: () => random.below(4),
        }),
      rollout: () =>
        some(
          { restartedAt: () => random.pick(['a', 'b']), revisionHistoryLimit: () => random.below(3) },
          0.6,
        ),
      access: () => some({ networkPolicy: () => random.pick(['Off', 'Restricted', 'On']) }),
      suspend: () => random.chance(0.5),
    }),
  };
}

/** Status of a ModelDeployment. */
export function modelStatus(random: Random): Fields {
  const condition = (type: string) => ({
    type,
    status: random.pick(['True', 'False', 'Unknown']),
    reason: random.pick(['A', 'B']),
    message: random.pick(['', 'm']),
    lastTransitionTime: '2026-11-24T10:00:00Z',
    ...(random.chance(0.3) ? { observedGeneration: random.below(3) } : {}),
  });
  return randomFields(
    random,
    {
      observedGeneration: () => random.below(4) - (random.chance(0.1) ? 9 : 0),
      replicas: () => random.below(4),
      selector: () => 'app=x',
      conditions: () => random.some(['Ready', 'Available', 'Stalled']).map(condition),
      stable: () => ({ revision: random.pick(['r1', 'r2']), replicas: 1, readyReplicas: random.below(2) }),
      failures: () => random.some(['p', 'q']).map((one) => ({ pod: one, reason: 'R', message: 'm' })),
    },
    0.5,
    0.03,
  );
}
