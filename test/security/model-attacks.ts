/** Model files that are made to hurt, each in a pod of its own with an idle one's patience. */
import { intField, join, messageField } from '../../inference-pod/inspect/protobuf-writer.ts';
import {
  infiniteLoop,
  loopOnDemand,
  lyingTensor,
  memoryOnDemand,
  nested,
} from '../../inference-pod/testing/models.ts';
import { graph, model, modelOf, node, tensor } from '../../inference-pod/testing/onnx.ts';
import { startGround } from './ground.ts';

export interface ModelOutcome {
  readonly bytes: number;
  readonly text: string;
  readonly problem?: string | undefined;
}

/** A model file and what must become of its pod. */
export interface ModelAttack {
  readonly name: string;
  run(): Promise<ModelOutcome>;
}

const hangLimitMs = 1500;
const patientHangLimitMs = 30_000;

/** Makes 8 GB as soon as onnxruntime folds its constants. */
const eightGigabytes = (): Uint8Array =>
  model({
    inputs: [],
    outputs: [{ name: 'y', type: 'FP64', shape: [] }],
    nodes: [
      node('ConstantOfShape', ['n'], ['big'], {
        value: { tensor: tensor('v', 'FP64', [1], Float64Array.of(1)) },
      }),
      node('ReduceSum', ['big'], ['y'], { keepdims: { int: 0 } }),
    ],
    initializers: [tensor('n', 'INT64', [1], BigInt64Array.of(1_000_000_000n))],
  });

/** A sparse tensor of one element that unfolds to a terabyte. */
const sparseBomb = (): Uint8Array => {
  const body = graph({
    inputs: [],
    outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
    nodes: [node('ReduceSum', ['s'], ['y'], { keepdims: { int: 0 } })],
  });
  const sparse = messageField(
    15,
    messageField(1, tensor('s', 'FP32', [1], Float32Array.of(1))),
    messageField(2, tensor('', 'INT64', [1], BigInt64Array.of(0n))),
    intField(3, 500_000),
    intField(3, 500_000),
  );
  return modelOf(join([body, sparse]));
};

/** Answers more than the machine has, at every request. */
const hugeAnswer = (): Uint8Array =>
  model({
    inputs: [{ name: 'size', type: 'INT64', shape: [1] }],
    outputs: [{ name: 'y', type: 'FP32', shape: [null] }],
    nodes: [
      node('ConstantOfShape', ['size'], ['y'], {
        value: { tensor: tensor('v', 'FP32', [1], Float32Array.of(1)) },
      }),
    ],
  });

/** Refused before onnxruntime sees it, with the reason. */
const refused = (name: string, bytes: Uint8Array, reason: string): ModelAttack => ({
  name,
  run: () => outcome(bytes, { ready: false, reason, mostMb: 200 }),
});

interface Expected {
  readonly ready: boolean;
  readonly reason: string;
  /** What the pod may use at most, megabytes. */
  readonly mostMb: number;
  readonly body?: string;
  readonly status?: readonly number[];
  readonly env?: Record<string, string>;
}

const outcome = async (bytes: Uint8Array, expected: Expected): Promise<ModelOutcome> => {
  // On a busy machine memory grows slowly: what is to end by its memory must not be taken for hung before.
  const limitMs = expected.reason === 'MemoryExceeded' ? patientHangLimitMs : hangLimitMs;
  const ground = await startGround(
    bytes,
    { BALLAST_HANG_LIMIT_MS: String(limitMs), ...expected.env },
    expected.ready,
  );
  try {
    const from = performance.now();
    let liveWorstMs = 0;
    let alive = 0;
    let over = false;
    const ended = ground.pod.exited.then((end) => {
      over = true;
      return end;
    });
    const probing = (async () => {
      while (!over) {
        const at = performance.now();
        const live = await fetch(`http://127.0.0.1:${ground.ops}/livez`).catch(() => undefined);
        if (live?.status === 200) {
          alive += 1;
          liveWorstMs = Math.max(liveWorstMs, performance.now() - at);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    ground.directory.writeLiveConfig({ timeoutMs: 500 });
    const answer =
      expected.body === undefined
        ? undefined
        : await ground.post(expected.body, { 'x-request-timeout-ms': '500' });
    const answeredMs = performance.now() - from;
    const { code, signal } = await ended;
    await probing;
    const seconds = (performance.now() - from) / 1000;
    const peak = ground.peakMb();
    const reason = ground.directory.termination()?.reason ?? 'no reason';
    const parts = [
      answer === undefined
        ? ''
        : `${answer.status === 0 ? 'connection closed' : answer.status} after ${Math.round(answeredMs)} ms, `,
      `ended by itself after ${seconds.toFixed(1)} s: ${reason} (${signal ?? `exit ${code}`}), ${Math.round(peak)} MB`,
      alive === 0 ? '' : `, live all the while (worst ${Math.round(liveWorstMs)} ms)`,
    ];
    const wrong =
      reason !== expected.reason
        ? `ended with ${reason}, wanted ${expected.reason}`
        : peak > expected.mostMb
          ? `took ${Math.round(peak)} MB`
          : answer !== undefined && expected.status !== undefined && !expected.status.includes(answer.status)
            ? `answered ${answer.status}`
            : undefined;
    return { bytes: bytes.length, text: parts.join(''), problem: wrong };
  } finally {
    await ground.close();
  }
};

const text = (value: string) => new TextEncoder().encode(value);
const scalar = (name: string, value: number, shape: string) =>
  `{"inputs":[{"name":"${name}","shape":${shape},"datatype":"INT64","data":[${value}]}]}`;

/** The bombs of security.md S10. */
export const modelAttacks: readonly ModelAttack[] = [
  {
    name: 'an infinite loop',
    run: () => outcome(infiniteLoop(), { ready: false, reason: 'WarmUpFailed', mostMb: 300 }),
  },
  {
    name: 'a loop that a request makes endless',
    run: () =>
      outcome(loopOnDemand(), {
        ready: true,
        reason: 'RunHung',
        mostMb: 300,
        body: scalar('trips', 1e15, '[]'),
        status: [504],
      }),
  },
  {
    name: '8 GB when it is loaded',
    run: () => outcome(eightGigabytes(), { ready: false, reason: 'MemoryExceeded', mostMb: 1200 }),
  },
  {
    name: '8 GB that a request asks for',
    run: () =>
      outcome(memoryOnDemand(), {
        ready: true,
        reason: 'MemoryExceeded',
        mostMb: 1200,
        body: scalar('size', 2e9, '[1]'),
      }),
  },
  {
    name: 'an answer of 8 GB that a request asks for',
    run: () =>
      outcome(hugeAnswer(), {
        ready: true,
        reason: 'MemoryExceeded',
        mostMb: 1200,
        body: scalar('size', 2e9, '[1]'),
      }),
  },
  refused('a sparse tensor that unfolds to 1 TB', sparseBomb(), 'ModelInvalid'),
  refused('If in If, 3,000 deep', nested(3000), 'ModelInvalid'),
  refused('a tensor that claims 4 TB', lyingTensor(), 'ModelInvalid'),
  refused('cut in half', loopOnDemand().slice(0, 150), 'ModelInvalid'),
  refused('a web page', text('<!DOCTYPE html><html></html>'), 'ModelInvalid'),
  refused('nothing', new Uint8Array(), 'ModelInvalid'),
  refused(
    'operators of an unknown domain',
    model({
      inputs: [],
      outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
      nodes: [node('Evil', [], ['y'], {}, 'evil')],
    }),
    'ModelUnsupported',
  ),
  refused(
    'a type that nobody knows',
    model({ inputs: [], outputs: [{ name: 'y', type: 99, shape: [1] }], nodes: [] }),
    'ModelUnsupported',
  ),
];
