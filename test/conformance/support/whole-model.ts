/** A spec of a ModelDeployment that uses every field there is; a field that is added to the CRD must be added here. */
export const wholeSpec = {
  model: { uri: 'file:///samples/wine/model.onnx', sha256: 'a'.repeat(64), version: '1' },
  runtime: {
    image: 'example.test/pod:1',
    resources: { requests: { cpu: '100m' }, limits: { cpu: 1, memory: '256Mi' } },
    threads: 1,
    batching: { maxSize: 16, maxDelay: '5ms' },
    concurrency: { maxInFlight: 100, maxQueue: 50 },
    warmup: { duration: '2s' },
    env: [
      { name: 'A', value: '1' },
      { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      { name: 'C', valueFrom: { configMapKeyRef: { name: 's', key: 'k' } } },
    ],
    limits: { maxBodyBytes: 4096 },
    pod: {
      nodeSelector: { a: 'b' },
      tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoExecute', tolerationSeconds: 5 }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      topologySpread: [
        { topologyKey: 'kubernetes.io/hostname', maxSkew: 2, whenUnsatisfiable: 'DoNotSchedule' },
      ],
      priorityClassName: 'high',
      serviceAccountName: 'wine',
      imagePullSecrets: [{ name: 'login' }],
      labels: { team: 'a' },
      annotations: { 'test.dev/a': 'b' },
    },
  },
  contract: {
    inputs: [
      { name: 'features', columns: [0, 12], min: '0', max: '1.5e3', allowNaN: true, action: 'Flag' },
      { name: 'features', columns: [1], values: ['1', '2'] },
      { name: 'features', columns: [2, 3], sumTo: '1', tolerance: '0.01' },
      { name: 'text', maxLength: 200 },
    ],
    outputs: [
      { name: 'score', min: '-1', max: '1', allowNaN: false, action: 'Reject', maxRepeats: 100 },
      { name: 'label', values: ['0', '1', '2'] },
      { name: 'probabilities', columns: [0, 1, 2], sumTo: '1', tolerance: '0.01' },
      { name: 'text', maxLength: 10 },
    ],
  },
  sla: { latency: { p50: '10ms', p90: '20ms', p95: '50ms', p99: '100ms' }, errorRate: '0.1%', window: '1m' },
  traffic: { path: 'Gateway', timeout: '3s', shedAt: 'SLA' },
  scaling: {
    mode: 'SLA',
    minReplicas: 2,
    maxReplicas: 4,
    replicas: 1,
    requestsPerSecondPerReplica: 10,
    priority: 5,
    schedule: [
      { days: ['Mon', 'Sun'], from: '08:00', to: '18:30', timezone: 'Europe/Berlin', minReplicas: 3 },
    ],
    maxHourlyCost: '2.50',
    scaleToZero: { idleAfter: '5m', maxHeldRequests: 100 },
  },
  rollout: { progressDeadline: '1m', revisionHistoryLimit: 2, restartedAt: 'now' },
  access: { networkPolicy: 'Restricted' },
  cost: { perReplicaHour: '0.12' },
  suspend: false,
};
