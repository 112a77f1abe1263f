/** Models that are changed before they are loaded, and requests that would end onnxruntime's process. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { zipMap } from './testing/models.ts';
import { model, node, tensor } from './testing/onnx.ts';
import { serveModel, type TestPod } from './testing/pod.ts';

const lstm = () =>
  model({
    inputs: [{ name: 'x', type: 'FP32', shape: [null, null, 3] }],
    outputs: [{ name: 'last', type: 'FP32', shape: [1, null, 2] }],
    nodes: [node('LSTM', ['x', 'w', 'r'], ['', 'last'], { hidden_size: { int: 2 } })],
    initializers: [
      tensor('w', 'FP32', [1, 8, 3], new Float32Array(24).fill(0.5)),
      tensor('r', 'FP32', [1, 8, 2], new Float32Array(16).fill(0.5)),
    ],
  });

let zipped: TestPod;
let recurrent: TestPod;
beforeAll(async () => {
  zipped = await serveModel(zipMap());
  recurrent = await serveModel(lstm());
});
afterAll(async () => {
  await zipped.stop();
  await recurrent.stop();
});

test('a ZipMap is told in the metadata, with the names of its classes', async () => {
  const metadata = (await (await fetch(`${zipped.url}/v2/models/m`)).json()) as { outputs: unknown[] };
  expect(metadata.outputs[1]).toEqual({
    name: 'output_probability',
    datatype: 'FP32',
    shape: [-1, 3],
    parameters: { rewired_from: 'ZipMap', labels: '["0","1","2"]' },
  });
});

test('classes are answered with their names', async () => {
  const { body } = await zipped.infer({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }],
    outputs: [{ name: 'output_probability', parameters: { classification: 1 } }],
  });
  expect(body).toMatchObject({
    outputs: [{ datatype: 'BYTES', shape: [1, 1], data: [expect.stringMatching(/^[0-9.e-]+:[012]:[012]$/)] }],
  });
});

test('a size of 0 that ends onnxruntime’s process is refused, and the next request answered', async () => {
  for (const shape of [
    [0, 1, 3],
    [2, 0, 3],
  ]) {
    const refused = await recurrent.infer({ inputs: [{ name: 'x', datatype: 'FP32', shape, data: [] }] });
    expect(refused.status).toBe(400);
    expect(refused.body).toEqual({
      error: expect.stringMatching(/'x' has the shape \[.*\], which holds nothing: .*LSTM/),
    });
  }
  const answered = await recurrent.infer({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1, 3], data: [1, 2, 3] }],
  });
  expect(answered.status).toBe(200);
});
