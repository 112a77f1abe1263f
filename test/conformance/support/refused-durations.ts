/** Specs that each rule about durations refuses, one by one, and the words of a real kube-apiserver 1.36.3. */

const uri = 'file:///samples/wine/model.onnx';
const latency = (of: Record<string, string>) => ({ model: { uri }, sla: { latency: of } });
const zero = (name: string): [string, object, string[]] => [
  `${name} of zero`,
  latency({ [name]: '0s' }),
  [
    `spec.sla.latency.${name} | FieldValueInvalid | Invalid value: ${name} is 0s: it must be longer than 0, for instance 50ms`,
  ],
];
const falling = (low: string, high: string): [string, object, string[]] => [
  `${low} above ${high}, these two alone`,
  latency({ [low]: '2s', [high]: '1999ms' }),
  [
    `spec.sla.latency.${low} | FieldValueInvalid | Invalid value: ${low} is 2s and ${high} is 1999ms: ${low} must not be longer than ${high}`,
  ],
];

/** Refused, with all causes as `field | reason | message`. */
export const refusedDurations: [name: string, spec: object, causes: string[]][] = [
  ...['p50', 'p90', 'p99'].map(zero),
  ...(
    [
      ['p50', 'p90'],
      ['p50', 'p99'],
      ['p90', 'p95'],
      ['p90', 'p99'],
    ] as const
  ).map(([low, high]) => falling(low, high)),
  [
    'a deadline that is too short',
    { model: { uri }, rollout: { progressDeadline: '9s' } },
    [
      'spec.rollout.progressDeadline | FieldValueInvalid | Invalid value: "9s": rollout.progressDeadline is 9s: it must be between 10s and 24h',
    ],
  ],
  [
    'a headroom that looks too short ahead',
    { model: { uri }, scaling: { headroom: { forecast: '9s' } } },
    [
      'spec.scaling.headroom.forecast | FieldValueInvalid | Invalid value: "9s": scaling.headroom.forecast is 9s: it must be between 10s and 1h',
    ],
  ],
  [
    'an idle time that is too short',
    { model: { uri }, scaling: { scaleToZero: { idleAfter: '9s' } } },
    [
      'spec.scaling.scaleToZero.idleAfter | FieldValueInvalid | Invalid value: "9s": scaling.scaleToZero.idleAfter is 9s: it must be between 10s and 24h',
    ],
  ],
];
