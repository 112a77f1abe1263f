/** The pod of `helm test`: what it does in order, and what it says when something does not come about. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { ModelDeployment } from '../crds/types.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Clock } from '../kube/clock.ts';
import { ApiError } from '../kube/errors.ts';
import { runChartTest } from './chart-test.ts';

const sample = join(import.meta.dirname, '../charts/ballast/files/sample');
const answer = JSON.stringify({
  outputs: [
    { name: 'label', data: [0, 1, 2] },
    {
      name: 'probabilities',
      data: [0.99809, 0.00023, 0.00168, 0.0069, 0.99308, 0.00002, 0.00204, 0.00004, 0.99793],
    },
  ],
});
const ready = [{ type: 'Ready', status: 'True' }];

/** A clock on which every wait is over at once. */
const hurried = (): Clock => {
  let nowMs = 0;
  return {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(ms, fn) {
      nowMs += ms;
      queueMicrotask(fn);
      return () => {};
    },
  };
};

/** Runs the test against a cluster whose ModelDeployment says `status`, and answers of the model one after the other. */
async function run(
  status: (asked: number) => unknown,
  answers: { status: number; text: string }[] = [{ status: 200, text: answer }],
  leftover = false,
) {
  const calls: string[] = [];
  let stored: object | undefined = leftover ? {} : undefined;
  let asked = 0;
  const missing = () => new ApiError({ message: 'gone', code: 404, reason: 'NotFound' });
  const api = {
    async create(_: unknown, object: { metadata: object }) {
      calls.push(`create ${JSON.stringify(object.metadata)}`);
      stored = object;
      return object;
    },
    async get() {
      if (stored === undefined) throw missing();
      return { metadata: { generation: 1 }, status: status(++asked) } as unknown as ModelDeployment;
    },
    async delete() {
      if (stored === undefined) throw missing();
      calls.push('delete');
      stored = undefined;
    },
  } as unknown as KubeApi;
  const said: string[] = [];
  const outcome = await runChartTest({
    api,
    namespace: 'shop',
    name: 'sample',
    sample,
    say: (line) => said.push(line),
    clock: hurried(),
    timeoutMs: 10_000,
    post: async (url) => {
      calls.push(`post ${url}`);
      return answers.length > 1
        ? (answers.shift() ?? { status: 0, text: '' })
        : (answers[0] ?? { status: 0, text: '' });
    },
  }).then(
    () => 'passed',
    (error: Error) => error.message,
  );
  return { outcome, calls, said, left: stored !== undefined };
}

const serving = { conditions: ready, observedGeneration: 1, url: 'http://sample.shop.svc:8080' };
const created = 'create {"namespace":"shop","name":"sample"}';
const posted = 'post http://sample.shop.svc:8080/v2/models/sample/infer';

describe('helm test', () => {
  test('creates, waits, predicts and deletes', async () => {
    const { outcome, calls, left } = await run((asked) => (asked < 3 ? undefined : serving));
    expect(outcome).toBe('passed');
    expect(calls).toEqual([created, posted, 'delete']);
    expect(left).toBe(false);
  });
  test('deletes what an earlier test left', async () => {
    expect((await run(() => serving, undefined, true)).calls).toEqual(['delete', created, posted, 'delete']);
  });
  test('asks again while the Service does not lead to the pod yet', async () => {
    const answers = [
      { status: 503, text: 'not yet' },
      { status: 200, text: answer },
    ];
    expect((await run(() => serving, answers)).calls).toEqual([created, posted, posted, 'delete']);
  });
  test.each<[string, unknown, { status: number; text: string }, string]>([
    [
      'no operator',
      undefined,
      { status: 200, text: answer },
      'no operator took the ModelDeployment in 10 s: does it watch namespace shop?',
    ],
    [
      'not ready',
      { conditions: [{ type: 'Ready', status: 'False', message: 'image cannot be pulled' }] },
      { status: 200, text: answer },
      'not Ready in 10 s: image cannot be pulled',
    ],
    [
      'stalled',
      { conditions: [{ type: 'Stalled', status: 'True', message: 'quota' }] },
      { status: 200, text: answer },
      'the ModelDeployment is stalled: quota',
    ],
    [
      'refused',
      serving,
      { status: 500, text: 'boom' },
      `no prediction from ${posted.slice(5)} in 30 s: 500 boom`,
    ],
    [
      'wrong',
      serving,
      { status: 200, text: answer.replace('[0,1,2]', '[0,1,1]') },
      'output label is [0,1,1], and should be [0,1,2]',
    ],
  ])('says why it failed, and leaves nothing: %s', async (_, status, reply, message) => {
    const { outcome, left } = await run(() => status, [reply]);
    expect(outcome).toBe(message);
    expect(left).toBe(false);
  });
});
