/** Specs that the rules about how pods serve refuse: batches, bounds of the queue, shedding; with the words of a real kube-apiserver 1.36.3. */

const uri = 'file:///samples/wine/model.onnx';
const runtime = (of: object) => ({ model: { uri }, runtime: of });

/** Refused, with all causes as `field | reason | message`. */
export const refusedServing: [name: string, spec: object, causes: string[]][] = [
  [
    'an image with a space',
    runtime({ image: 'a b' }),
    [
      `spec.runtime.image | FieldValueInvalid | Invalid value: "a b": spec.runtime.image in body should match '^[A-Za-z0-9][^\\s]*$'`,
    ],
  ],
  [
    'a batch that waits too long',
    runtime({ batching: { maxDelay: '1001ms' } }),
    [
      'spec.runtime.batching.maxDelay | FieldValueInvalid | Invalid value: "1001ms": runtime.batching.maxDelay is 1001ms: it must be between 0s and 1s',
    ],
  ],
  [
    'a delay for batches of one',
    runtime({ batching: { maxSize: 1, maxDelay: '5ms' } }),
    [
      'spec.runtime.batching.maxDelay | FieldValueForbidden | Forbidden: a batch of one row waits for nothing: remove maxDelay, or set maxSize above 1',
    ],
  ],
  [
    'a queue that is larger than the pod',
    runtime({ concurrency: { maxInFlight: 10, maxQueue: 11 } }),
    [
      'spec.runtime.concurrency.maxQueue | FieldValueInvalid | Invalid value: maxQueue is 11 and maxInFlight is 10: maxQueue must not be larger than maxInFlight',
    ],
  ],
  [
    'a warm-up that is too long',
    runtime({ warmup: { duration: '11m' } }),
    [
      'spec.runtime.warmup.duration | FieldValueInvalid | Invalid value: "11m": runtime.warmup.duration is 11m: it must be between 0s and 10m',
    ],
  ],
  [
    'batches without a warm-up',
    runtime({ warmup: { duration: '0s' }, batching: { maxSize: 8 } }),
    [
      'spec.runtime.batching | FieldValueForbidden | Forbidden: without a warm-up it is not shown that rows can be batched: remove runtime.batching, or the duration of 0s',
    ],
  ],
  [
    'shedding by a promise that is not there',
    { model: { uri }, traffic: { shedAt: 'SLA' } },
    [
      'spec.traffic.shedAt | FieldValueForbidden | Forbidden: traffic.shedAt: SLA needs a promise to keep: set sla.latency, or shedAt: Timeout',
    ],
  ],
  [
    'scale to zero without the gateway that would hold requests',
    { model: { uri }, traffic: { path: 'Direct' }, scaling: { scaleToZero: {} } },
    [
      'spec.scaling.scaleToZero | FieldValueForbidden | Forbidden: scaling.scaleToZero needs a gateway, which holds requests while no replica runs: remove traffic.path: Direct, or scaleToZero',
    ],
  ],
  [
    'a priority in mode External',
    { model: { uri }, scaling: { mode: 'External', priority: 5 } },
    [
      'spec.scaling.priority | FieldValueForbidden | Forbidden: scaling.mode is External: priority belongs to mode SLA; remove it, or set mode: SLA',
    ],
  ],
  [
    'a schedule in mode Fixed',
    {
      model: { uri },
      scaling: { mode: 'Fixed', schedule: [{ from: '08:00', to: '10:00', minReplicas: 2 }] },
    },
    [
      'spec.scaling.schedule | FieldValueForbidden | Forbidden: scaling.mode is Fixed: schedule belongs to mode SLA; remove it, or set mode: SLA',
    ],
  ],
  [
    'a limit of the cost in mode External',
    { model: { uri }, scaling: { mode: 'External', maxHourlyCost: '1' } },
    [
      'spec.scaling.maxHourlyCost | FieldValueForbidden | Forbidden: scaling.mode is External: maxHourlyCost belongs to mode SLA; remove it, or set mode: SLA',
    ],
  ],
  [
    'headroom in mode External',
    { model: { uri }, scaling: { mode: 'External', headroom: { replicas: 1 } } },
    [
      'spec.scaling.headroom | FieldValueForbidden | Forbidden: scaling.mode is External: headroom belongs to mode SLA; remove it, or set mode: SLA',
    ],
  ],
  [
    'a headroom of no size',
    { model: { uri }, scaling: { headroom: {} } },
    [
      'spec.scaling.headroom | FieldValueInvalid | Invalid value: scaling.headroom needs replicas or forecast',
    ],
  ],
  [
    'scale to zero in mode Fixed',
    { model: { uri }, scaling: { mode: 'Fixed', scaleToZero: { idleAfter: '5m' } } },
    [
      'spec.scaling.scaleToZero | FieldValueForbidden | Forbidden: scaling.mode is Fixed: scaleToZero belongs to mode SLA; remove it, or set mode: SLA',
    ],
  ],
];
