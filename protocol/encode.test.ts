import { expect, test } from '@jest/globals';
import { encodeError, encodeInferAnswer, encodeModelMetadata, type InferAnswer } from './encode.ts';

const textOf = (answer: InferAnswer) => encodeInferAnswer(answer).body.toString();

test('an answer names the model, its version and the id only when there is one', () => {
  const y = {
    name: 'y',
    datatype: 'INT64',
    shape: [2],
    data: BigInt64Array.of(1n, -9223372036854775808n),
  } as const;
  expect(textOf({ modelName: 'm', outputs: [y] })).toBe(
    '{"model_name":"m","outputs":[{"name":"y","shape":[2],"datatype":"INT64","data":[1,-9223372036854775808]}]}',
  );
  const b = { name: 'b"', datatype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) } as const;
  expect(textOf({ modelName: 'm', modelVersion: '1', id: 'é"', outputs: [b, y] })).toBe(
    '{"model_name":"m","model_version":"1","id":"é\\"","outputs":[{"name":"b\\"","shape":[2],"datatype":"BOOL","data":[false,true]},{"name":"y","shape":[2],"datatype":"INT64","data":[1,-9223372036854775808]}]}',
  );
});

test.each([
  ['FP32', Float32Array.of(1, Number.NaN), /^output 'y': element 1 is NaN, which JSON cannot carry/],
  ['FP64', Float64Array.of(Number.NEGATIVE_INFINITY, 1), /^output 'y': element 0 is -Infinity/],
  ['FP16', Uint16Array.of(1, 2), /^output 'y' has data-type FP16, which has no JSON form/],
] as const)('%s that JSON cannot carry is refused', (datatype, data, error) => {
  expect(() =>
    encodeInferAnswer({ modelName: 'm', outputs: [{ name: 'y', datatype, shape: [2], data }] }),
  ).toThrow(error);
});

test('metadata without a version has no list of versions', () => {
  const model = {
    name: 'm',
    inputs: [],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }] as const,
  };
  expect(JSON.parse(encodeModelMetadata(model, undefined))).toEqual({ ...model, platform: 'onnx_onnxv1' });
  const labelled = { ...model.outputs[0], name: 'p', rewiredFrom: 'ZipMap', labels: ['a', 'b'] } as const;
  expect(JSON.parse(encodeModelMetadata({ ...model, outputs: [labelled] }, undefined)).outputs).toEqual([
    { name: 'p', datatype: 'FP32', shape: [-1], parameters: { rewired_from: 'ZipMap', labels: '["a","b"]' } },
  ]);
  expect(encodeError('a "b"')).toBe('{"error":"a \\"b\\""}');
});
