/** A contract in force: the sample's manifest on its model, and models that break theirs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import type { ContractSpec } from '../../crds/types.ts';
import { WireWriter } from '../../protocol/grpc/wire-writer.ts';
import type { ModelError } from '../inspect/model-error.ts';
import { identity } from '../testing/models.ts';
import { serveModel, type TestPod } from '../testing/pod.ts';

const samples = join(import.meta.dirname, '../../samples/wine');
const wine = readFileSync(join(samples, 'model.onnx'));
const manifest = load(readFileSync(join(samples, 'contract/modeldeployment.yaml'), 'utf8')) as {
  spec: { contract: ContractSpec };
};
const golden = JSON.parse(readFileSync(join(samples, 'golden/request.json'), 'utf8')) as {
  inputs: { data: number[]; name: string; datatype: string }[];
};
const first = golden.inputs[0]?.data.slice(0, 13) ?? [];

const pods: TestPod[] = [];
const serve = async (model: Uint8Array, contract: ContractSpec, env: Record<string, string> = {}) => {
  const pod = await serveModel(model, { env: { BALLAST_CONTRACT: JSON.stringify(contract), ...env } });
  pods.push(pod);
  return pod;
};
afterAll(async () => {
  for (const pod of pods) await pod.stop();
});

/** The first wine of the golden request with other measurements at some places. */
const wineRequest = (changes: Readonly<Record<number, number>> = {}) => ({
  inputs: [
    {
      name: 'features',
      datatype: 'FP32',
      shape: [1, 13],
      data: first.map((value, i) => changes[i] ?? value),
    },
  ],
});
const counted = async (pod: TestPod) => {
  const text = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith('ballast_contract_findings_total{'));
};

describe('the sample', () => {
  test('rejects, flags and counts as its manifest says', async () => {
    const pod = await serve(wine, manifest.spec.contract);
    const good = await pod.infer(golden);
    expect([good.status, good.headers.get('ballast-contract')]).toEqual([200, null]);
    expect(good.body).not.toHaveProperty('parameters');

    const rejected = await pod.infer(wineRequest({ 0: 31, 3: -1 }));
    expect([rejected.status, rejected.body]).toEqual([
      400,
      {
        error:
          "the request breaks the contract of model 'm': input 'features', row 0, column 3 is -1, wanted at least 0 (rule min); input 'features', row 0, column 0 is 31, wanted at most 20 (rule max)",
      },
    ]);

    const flagged = await pod.infer(wineRequest({ 4: 240 }));
    const header = 'flagged; max input features[0,4]: 240, wanted at most 162';
    expect([flagged.status, flagged.headers.get('ballast-contract')]).toEqual([200, header]);
    expect(flagged.body).toMatchObject({ parameters: { ballast_contract: header } });
    expect((await counted(pod)).sort()).toEqual([
      'ballast_contract_findings_total{tensor="features",rule="max",action="Flag"} 1',
      'ballast_contract_findings_total{tensor="features",rule="max",action="Reject"} 1',
      'ballast_contract_findings_total{tensor="features",rule="min",action="Reject"} 1',
    ]);
    // What is refused for its contract is the caller's fault.
    expect((await pod.load()).counters).toMatchObject({ succeeded: 2, clientErrors: 1, failed: 0 });
    expect(pod.log.lines.map(({ fields }) => fields.checks)).toContain(
      "output 'label': INT64 [-1] by the model; one of 0, 1, 2 (Reject)",
    );
  });
});

/** Asks over gRPC; the answer's headers, or the status and the message of the failure. */
const askGrpc = (pod: TestPod, data: readonly number[]): Promise<unknown> => {
  const message = new WireWriter()
    .text(1, 'm')
    .message(5, (input) => input.text(1, 'x').text(2, 'FP32').packedInts(3, [1, 2]))
    .bytes(7, new Uint8Array(Float32Array.from(data).buffer))
    .finish();
  const client = new Client(`127.0.0.1:${pod.pod.grpcPort}`, credentials.createInsecure());
  return new Promise<unknown>((resolve) => {
    let flagged: unknown;
    client
      .makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        message,
        (error, answer) => {
          if (error !== null) resolve([error.code, error.details]);
          else resolve([flagged, answer?.toString('latin1').includes('ballast_contract')]);
        },
      )
      .once('metadata', (metadata) => {
        flagged = metadata.get('ballast-contract')[0];
      });
  }).finally(() => client.close());
};

test('callers of gRPC and of V1 are told the same', async () => {
  const pod = await serve(identity('FP32', ['N', 2]), {
    inputs: [{ name: 'x', columns: [1], max: '100' }],
    outputs: [
      { name: 'y', columns: [0], max: '10' },
      { name: 'y', columns: [0], max: '20', action: 'Reject' },
    ],
  });
  expect(await askGrpc(pod, [1, 0])).toEqual([undefined, false]);
  expect(await askGrpc(pod, [15, 0])).toEqual(['flagged; max output y[0,0]: 15, wanted at most 10', true]);
  const v1 = async (...row: number[]) => {
    const body = JSON.stringify({ instances: [row] });
    const answer = await fetch(`${pod.url}/v1/models/m:predict`, { method: 'POST', body });
    return [answer.status, answer.headers.get('ballast-contract'), await answer.json()];
  };
  expect(await v1(15, 0)).toEqual([
    200,
    'flagged; max output y[0,0]: 15, wanted at most 10',
    { predictions: [[15, 0]] },
  ]);
  expect((await v1(1, 101)).slice(0, 2)).toEqual([400, null]);
  expect(await askGrpc(pod, [1, 101])).toEqual([
    status.INVALID_ARGUMENT,
    "the request breaks the contract of model 'm': input 'x', row 0, column 1 is 101, wanted at most 100 (rule max)",
  ]);
  expect(await askGrpc(pod, [25, 0])).toEqual([
    status.INTERNAL,
    "the answer of model 'm' breaks its contract: output 'y', row 0, column 0 is 25, wanted at most 20 (rule max)",
  ]);
});

describe('requests at the same time', () => {
  test('are told their own findings each, and a refused one fails nobody', async () => {
    const pod = await serve(
      identity('FP32', ['N', 2]),
      {
        inputs: [{ name: 'x', columns: [1], max: '100' }],
        outputs: [
          { name: 'y', columns: [0], max: '10', action: 'Flag' },
          { name: 'y', columns: [0], max: '20', action: 'Reject' },
        ],
      },
      { BALLAST_MAX_BATCH_DELAY_MS: '100' },
    );
    const asked = [
      [1, 0],
      [15, 0],
      [25, 0],
      [1, 101],
      [2, 0],
    ];
    const answers = await Promise.all(
      asked.map((data) => pod.infer({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] })),
    );
    expect(answers.map(({ status, headers }) => [status, headers.get('ballast-contract')])).toEqual([
      [200, null],
      [200, 'flagged; max output y[0,0]: 15, wanted at most 10'],
      [500, null],
      [400, null],
      [200, null],
    ]);
    expect(answers[2]?.body).toEqual({
      error:
        "the answer of model 'm' breaks its contract: output 'y', row 0, column 0 is 25, wanted at most 20 (rule max)",
    });
    // An answer that breaks the contract is the model's failure, and counts against the promise.
    expect((await pod.load()).counters).toMatchObject({ succeeded: 3, clientErrors: 1, failed: 1 });
  });
});

test('a model that always answers the same is flagged when more than maxRepeats different inputs got one answer', async () => {
  const pod = await serve(identity('FP32', ['N', 2]), {
    outputs: [{ name: 'y', columns: [0], maxRepeats: 20 }],
  });
  let flagged = 0;
  for (let i = 0; i < 30; i += 1) {
    const data = [7, i];
    const answer = await pod.infer({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data }] });
    expect(answer.status).toBe(200);
    flagged += answer.headers.get('ballast-contract') === null ? 0 : 1;
  }
  expect(flagged).toBe(8);
});

describe('a contract that cannot be held', () => {
  test('keeps the pod from becoming ready, and the reason says which rule and why', async () => {
    const contract = { inputs: [{ name: 'features', columns: [13], min: '0' }] };
    const pod = await serveModel(wine, {
      env: { BALLAST_CONTRACT: JSON.stringify(contract) },
      waitReady: false,
    });
    pods.push(pod);
    const error = await pod.pod.ready.then(
      () => undefined,
      (reason: ModelError) => reason,
    );
    expect([error?.reason, error?.message]).toEqual([
      'ContractInvalid',
      "contract.inputs[0]: input 'features' has 13 columns, numbered 0 to 12: there is no column 13",
    ]);
    expect((await fetch(`${pod.opsUrl}/readyz`)).status).toBe(503);
  });

  test.each([
    ['is no JSON', '{', /BALLAST_CONTRACT: must be JSON/],
    ['has a field of another release', '{"inputs":[{"name":"x","most":"1"}]}', /BALLAST_CONTRACT: /],
  ])('a variable that %s is named', async (_, text, words) => {
    await expect(serveModel(wine, { env: { BALLAST_CONTRACT: text } })).rejects.toThrow(words);
  });
});
