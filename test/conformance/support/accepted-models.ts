/** Specs of a ModelDeployment that a real kube-apiserver 1.36.3 accepts with the generated CRD. */

const uri = 'file:///samples/wine/model.onnx';
/** Accepted, without a warning. */
export const accepted: [name: string, spec: object][] = [
  ['the least there is', { model: { uri } }],
  [
    'an https model with digest and version',
    { model: { uri: 'https://models.example.com/wine.onnx', sha256: 'a'.repeat(64), version: '2026-11-01' } },
  ],
  ['a model on a claim', { model: { uri: 'pvc://models/wine/model.onnx' } }],
  [
    'every latency promise, rising',
    {
      model: { uri },
      sla: { latency: { p50: '10ms', p90: '20ms', p95: '50ms', p99: '1s' }, errorRate: '0.1%', window: '5m' },
    },
  ],
  ['equal latency promises', { model: { uri }, sla: { latency: { p50: '10ms', p99: '10ms' } } }],
  ['an error rate of 100%', { model: { uri }, sla: { errorRate: '100%' } }],
  [
    'a contract with the widest and the narrowest rules',
    {
      model: { uri },
      contract: {
        inputs: [
          { name: 'features', min: '-99999999999999999999.5e99', max: '99999999999999999999.5e99' },
          { name: 'features', columns: [0], min: '0.1', max: '1e-1' },
          { name: 'id', min: '-9223372036854775808', max: '9223372036854775807', action: 'Flag' },
          { name: 'colour', values: ['', 'rot', '赤'] },
          { name: 'colour', maxLength: 0 },
        ],
        outputs: [{ name: 'probabilities', sumTo: '1', tolerance: '0' }],
      },
    },
  ],
  ['the longest window', { model: { uri }, sla: { errorRate: '1%', window: '1h' } }],
  ['minReplicas equal to maxReplicas', { model: { uri }, scaling: { minReplicas: 3, maxReplicas: 3 } }],
  ['mode Fixed with replicas', { model: { uri }, scaling: { mode: 'Fixed', replicas: 0 } }],
  ['mode External with replicas', { model: { uri }, scaling: { mode: 'External', replicas: 5 } }],
  ['a request rate per replica', { model: { uri }, scaling: { requestsPerSecondPerReplica: 200 } }],
  [
    'resources as numbers and as quantities',
    {
      model: { uri },
      runtime: {
        resources: { requests: { cpu: 1, memory: '512Mi' }, limits: { cpu: '1500m', memory: '1e9' } },
      },
    },
  ],
  [
    'a GPU with an image of its own',
    {
      model: { uri },
      runtime: { image: 'example.com/gpu:1', resources: { limits: { 'nvidia.com/gpu': 1 } } },
    },
  ],
  [
    'environment from a Secret',
    {
      model: { uri },
      runtime: {
        env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'store', key: 'token' } } }],
      },
    },
  ],
  [
    'affinity of any shape',
    {
      model: { uri },
      runtime: {
        pod: {
          affinity: {
            nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
          },
        },
      },
    },
  ],
  [
    'pod settings',
    {
      model: { uri },
      runtime: {
        pod: {
          nodeSelector: { disktype: 'ssd' },
          tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
          topologySpread: [{ topologyKey: 'zone', maxSkew: 1 }],
          labels: { team: 'a' },
          annotations: { 'a.b/c': 'd' },
        },
      },
    },
  ],
  [
    'a rollout with all its fields',
    {
      model: { uri },
      rollout: { progressDeadline: '10m', revisionHistoryLimit: 0, restartedAt: '2026-11-24T10:00:00Z' },
    },
  ],
  ['a network policy', { model: { uri }, access: { networkPolicy: 'Restricted' } }],
  ['suspended', { model: { uri }, suspend: true }],
  ['a timeout', { model: { uri }, traffic: { timeout: '10ms' } }],
];
