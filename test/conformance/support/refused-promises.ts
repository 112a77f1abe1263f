/** Specs with an `sla` that a real kube-apiserver 1.36.3 refuses, and its words. */

const uri = 'file:///samples/wine/model.onnx';
/** Refused, with all causes as `field | reason | message`. */
export const refusedPromises: [name: string, spec: object, causes: string[]][] = [
  [
    'a latency without a unit',
    { model: { uri }, sla: { latency: { p95: '50' } } },
    [
      `spec.sla.latency.p95 | FieldValueInvalid | Invalid value: "50": spec.sla.latency.p95 in body should match '^[0-9]{1,9}(ms|s|m|h)$'`,
    ],
  ],
  [
    'a latency with a fraction',
    { model: { uri }, sla: { latency: { p95: '0.5s' } } },
    [
      `spec.sla.latency.p95 | FieldValueInvalid | Invalid value: "0.5s": spec.sla.latency.p95 in body should match '^[0-9]{1,9}(ms|s|m|h)$'`,
    ],
  ],
  [
    'a latency of zero',
    { model: { uri }, sla: { latency: { p95: '0ms' } } },
    [
      'spec.sla.latency.p95 | FieldValueInvalid | Invalid value: p95 is 0ms: it must be longer than 0, for instance 50ms',
    ],
  ],
  [
    'an sla that promises nothing',
    { model: { uri }, sla: {} },
    ['spec.sla | FieldValueRequired | Required value: promise a latency or an errorRate, or leave sla out'],
  ],
  [
    'an sla with a window and nothing to look at in it',
    { model: { uri }, sla: { window: '10m' } },
    ['spec.sla | FieldValueRequired | Required value: promise a latency or an errorRate, or leave sla out'],
  ],
  [
    'no latency at all in latency',
    { model: { uri }, sla: { latency: {} } },
    [
      'spec.sla.latency | FieldValueRequired | Required value: promise at least one of p50, p90, p95 and p99, or leave sla.latency out',
    ],
  ],
  [
    'p50 above p95',
    { model: { uri }, sla: { latency: { p50: '60ms', p95: '50ms' } } },
    [
      'spec.sla.latency.p50 | FieldValueInvalid | Invalid value: p50 is 60ms and p95 is 50ms: p50 must not be longer than p95',
    ],
  ],
  [
    'p95 above p99 in other units',
    { model: { uri }, sla: { latency: { p95: '2s', p99: '1500ms' } } },
    [
      'spec.sla.latency.p95 | FieldValueInvalid | Invalid value: p95 is 2s and p99 is 1500ms: p95 must not be longer than p99',
    ],
  ],
  [
    'an error rate without a percent sign',
    { model: { uri }, sla: { errorRate: '0.1' } },
    [
      `spec.sla.errorRate | FieldValueInvalid | Invalid value: "0.1": spec.sla.errorRate in body should match '^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%$'`,
    ],
  ],
  [
    'an error rate above 100%',
    { model: { uri }, sla: { errorRate: '101%' } },
    [
      `spec.sla.errorRate | FieldValueInvalid | Invalid value: "101%": spec.sla.errorRate in body should match '^(100(\\.0{1,4})?|[0-9]{1,2}(\\.[0-9]{1,4})?)%$'`,
    ],
  ],
  [
    'a window that is too short',
    { model: { uri }, sla: { errorRate: '1%', window: '5s' } },
    [
      'spec.sla.window | FieldValueInvalid | Invalid value: "5s": sla.window is 5s: it must be between 10s and 1h',
    ],
  ],
  [
    'a window that is too long',
    { model: { uri }, sla: { errorRate: '1%', window: '2h' } },
    [
      'spec.sla.window | FieldValueInvalid | Invalid value: "2h": sla.window is 2h: it must be between 10s and 1h',
    ],
  ],
];
