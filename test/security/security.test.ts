/** security.md S8-S10, S16: attackers over real sockets and model files against a real pod process. `npm run test:security` has all of it with figures. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { externalTable } from '../../inference-pod/testing/external.ts';
import { classifier, lookupTable } from '../../inference-pod/testing/models.ts';
import { makePodDirectory, spawnPod, until } from '../../inference-pod/testing/pod.ts';
import { tar } from '../../inference-pod/testing/tar.ts';
import { attacks } from './clients.ts';
import { type Ground, memoryLimitMb, pause, startGround } from './ground.ts';
import { modelAttacks } from './model-attacks.ts';

let ground: Ground | undefined;
afterEach(async () => {
  await ground?.close();
  ground = undefined;
});

const row = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';

test('a client that means harm is refused as what it is, and leaves the pod as it was', async () => {
  const pod = await startGround(classifier());
  ground = pod;
  const before = (await pod.post(row)).text;
  const problems: string[] = [];
  // The largest bodies take their time on a busy machine; the command has them.
  for (const { name, allowed, run } of attacks('small')) {
    const statuses = await run(pod, 100);
    const wrong = Object.keys(statuses).filter((status) => !allowed.includes(Number(status)));
    if (wrong.length > 0) problems.push(`${name}: ${JSON.stringify(statuses)}`);
    // What was let in before it was known is worked off first.
    let honest = await pod.post(row);
    for (let i = 0; i < 100 && honest.status === 429; i += 1) {
      await pause(50);
      honest = await pod.post(row);
    }
    if (honest.status !== 200 || honest.text !== before)
      problems.push(`${name}: then ${honest.status} ${honest.text}`);
    const live = await fetch(`http://127.0.0.1:${pod.ops}/livez`).catch(() => undefined);
    if (live?.status !== 200) problems.push(`${name}: not live`);
  }
  expect(problems).toEqual([]);
  expect(pod.peakMb()).toBeLessThan(memoryLimitMb * 0.9);
}, 120_000);

test('60 bad requests among 420 good ones: every good one is answered, and right', async () => {
  const pod = await startGround(lookupTable());
  ground = pod;
  const ask = (index: unknown, datatype = 'INT64') =>
    pod.post(JSON.stringify({ inputs: [{ name: 'i', shape: [1], datatype, data: [index] }] }));
  const rows = ['[1,2]', '[3,4]', '[5,6]'];
  const good: Promise<{ status: number; text: string }>[] = [];
  const bad: Promise<{ status: number; text: string }>[] = [];
  for (let i = 0; i < 480; i += 1) {
    // The bad ones that pass every check and make onnxruntime fail in the batch are the worst.
    if (i % 8 === 0) bad.push(i % 16 === 0 ? ask(1000 + i) : i % 24 === 8 ? ask('x') : ask(1, 'FP32'));
    else good.push(ask(i % 3));
  }
  const answers = await Promise.all(good);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(answers).toHaveLength(420);
  let at = 0;
  for (let i = 0; i < 480; i += 1) {
    if (i % 8 === 0) continue;
    expect(answers[at]?.text).toContain(`"data":${rows[i % 3]}`);
    at += 1;
  }
  expect((await Promise.all(bad)).filter(({ status }) => status === 200)).toEqual([]);
});

describe('model files', () => {
  test.each(modelAttacks.filter(({ name }) => name.startsWith('8 GB when') || name.startsWith('a sparse')))(
    '$name: ends its own pod, and says why',
    async ({ run }) => {
      expect((await run()).problem).toBeUndefined();
    },
    60_000,
  );
  test('a .tar with weights beside the model is fetched, checked and served', async () => {
    const weights = Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
    const archive = tar(
      { name: 'm/model.onnx', content: externalTable({ location: 'w.bin', offset: '0', length: '24' }) },
      { name: 'm/w.bin', content: weights },
    );
    const directory = makePodDirectory();
    directory.writeLiveConfig({});
    writeFileSync(join(directory.root, 'files/m.tar'), archive);
    const sha256 = createHash('sha256').update(archive).digest('hex');
    const env = {
      ...directory.env,
      BALLAST_MODEL_URI: `file://${directory.root}/files/m.tar`,
      BALLAST_MODEL_SHA256: sha256,
    };
    expect((await spawnPod('fetch', env).exited).code).toBe(0);
    const pod = spawnPod('serve', env);
    try {
      const { http, ops } = await pod.ports();
      await until(
        async () => (await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => undefined))?.status === 200,
        30_000,
      );
      const answer = await fetch(`http://127.0.0.1:${http}/v2/models/m/infer`, {
        method: 'POST',
        body: '{"inputs":[{"name":"i","shape":[2],"datatype":"INT64","data":[2,0]}]}',
      });
      expect(await answer.json()).toMatchObject({
        outputs: [{ name: 'y', shape: [2, 2], data: [5, 6, 1, 2] }],
      });
    } finally {
      pod.child.kill('SIGKILL');
      await pod.exited;
      directory.remove();
    }
  }, 60_000);
});
