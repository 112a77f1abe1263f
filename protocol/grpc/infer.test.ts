import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  allocate,
  type Datatype,
  elementCount,
  type ModelSignature,
  type Tensor,
  type TensorData,
} from '../datatypes.ts';
import { ProtocolError } from '../errors.ts';
import { encodeRaw } from '../raw-tensor.ts';
import { readInferFrame } from './infer-frame.ts';
import { isRaw, readInferRequest } from './infer-request.ts';
import { writeInferAnswer, writeStreamAnswer, writeStreamFailure } from './infer-response.ts';
import { decode, encode } from './testing/peer.ts';

const model = (datatype: Datatype, shape: number[] = [-1]): ModelSignature => ({
  name: 'm',
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [
    { name: 'y', datatype, shape },
    { name: 'z', datatype, shape },
  ],
});

const whole = (min: number, max: number) => fc.integer({ min, max });
const lists: [Datatype, string, fc.Arbitrary<unknown>][] = [
  ['BOOL', 'bool_contents', fc.boolean()],
  ['INT8', 'int_contents', whole(-128, 127)],
  ['INT16', 'int_contents', whole(-32_768, 32_767)],
  ['INT32', 'int_contents', whole(-(2 ** 31), 2 ** 31 - 1)],
  ['UINT8', 'uint_contents', whole(0, 255)],
  ['UINT16', 'uint_contents', whole(0, 65_535)],
  ['UINT32', 'uint_contents', whole(0, 2 ** 31 - 1).map((value) => value * 2 + 1)],
  ['FP32', 'fp32_contents', fc.float()],
  ['FP64', 'fp64_contents', fc.double()],
  ['BYTES', 'bytes_contents', fc.string({ unit: 'binary' })],
];

const tensorOf = (datatype: Datatype, values: readonly unknown[]): Tensor => {
  if (datatype === 'BYTES') return { name: 'x', datatype, shape: [values.length], data: values as string[] };
  const data = allocate(datatype, values.length) as Float64Array<ArrayBuffer>;
  values.forEach((value, i) => {
    data[i] = Number(value);
  });
  return { name: 'x', datatype, shape: [values.length], data: data as TensorData };
};

const read = (message: object, signature: ModelSignature) =>
  readInferRequest(readInferFrame(encode('ModelInferRequest', message)), signature);
const input = (datatype: Datatype, shape: number[], rest: object = {}) => ({
  model_name: 'm',
  inputs: [{ name: 'x', datatype, shape, ...rest }],
});

describe.each(lists)('%s in %s', (datatype, list, element) => {
  test('is read as another implementation writes it, and written as it reads', () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 40 }), (values) => {
        const sent = datatype === 'BYTES' ? values.map((value) => Buffer.from(value as string)) : values;
        const tensor = tensorOf(datatype, values);
        const request = read(
          input(datatype, [values.length], { contents: { [list]: sent } }),
          model(datatype),
        );
        expect(request.inputs).toEqual([tensor]);
        const answer = writeInferAnswer(
          { modelName: 'm', modelVersion: undefined, id: '', outputs: [tensor], isRaw: false },
          5,
        );
        const [output] = decode('ModelInferResponse', answer.subarray(5)).outputs as {
          contents: Record<string, unknown[]>;
        }[];
        const back = output?.contents[list] ?? [];
        expect(datatype === 'BYTES' ? back.map((value) => String(value)) : back).toEqual(
          datatype === 'BOOL' ? values : datatype === 'BYTES' ? values : Array.from(tensor.data as never),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('as raw bytes too, which are answered with raw bytes', () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 1, maxLength: 20 }), (values) => {
        const tensor = tensorOf(datatype, values);
        const bytes = encode('ModelInferRequest', {
          ...input(datatype, [values.length]),
          raw_input_contents: [encodeRaw(tensor)],
        });
        const frame = readInferFrame(bytes);
        expect(isRaw(frame)).toBe(true);
        expect(readInferRequest(frame, model(datatype)).inputs).toEqual([tensor]);
        const answer = { modelName: 'm', modelVersion: '7', id: 'é', outputs: [tensor], isRaw: true };
        const message = decode('ModelInferResponse', writeInferAnswer(answer, 0));
        expect(message).toEqual({
          model_name: 'm',
          model_version: '7',
          id: 'é',
          outputs: [{ name: 'x', datatype, shape: [String(values.length)] }],
          raw_output_contents: [Buffer.from(encodeRaw(tensor))],
        });
        expect(decode('ModelStreamInferResponse', writeStreamAnswer(answer, 0))).toEqual({
          infer_response: message,
        });
      }),
      { numRuns: 30 },
    );
  });
});

test('64-bit integers are exact both ways', () => {
  const edges = {
    INT64: [1n, -1n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n],
    UINT64: [0n, 2n ** 64n - 1n],
  };
  for (const [datatype, values] of Object.entries(edges) as ['INT64' | 'UINT64', bigint[]][]) {
    const list = `${datatype.toLowerCase()}_contents`;
    const { inputs } = read(
      input(datatype, [values.length], { contents: { [list]: values.map(String) } }),
      model(datatype),
    );
    expect([...(inputs[0]?.data ?? [])]).toEqual(values);
    const outputs = [{ ...inputs[0], name: 'y' } as Tensor];
    const text = decode(
      'ModelInferResponse',
      writeInferAnswer({ modelName: 'm', modelVersion: undefined, id: '', outputs, isRaw: false }, 0),
    );
    expect(text.outputs).toEqual([
      { name: 'y', datatype, shape: [String(values.length)], contents: { [list]: values.map(String) } },
    ]);
  }
});

test('lists that are not packed, as old writers send them, are read too', () => {
  // Field 6 (fp32) twice as fixed32, field 1..3 of the input before it.
  const element = (value: number) => {
    const bytes = Buffer.alloc(5, 0x35);
    bytes.writeFloatLE(value, 1);
    return bytes;
  };
  const contents = Buffer.concat([element(1.5), element(-2)]);
  const inputBytes = Buffer.concat([
    Buffer.from([0x0a, 1, 0x78, 0x12, 4]),
    Buffer.from('FP32'),
    Buffer.from([0x18, 2, 0x2a, contents.length]),
    contents,
  ]);
  const message = Buffer.concat([Buffer.from([0x2a, inputBytes.length]), inputBytes]);
  const { inputs } = readInferRequest(readInferFrame(message), model('FP32'));
  expect(inputs[0]?.data).toEqual(Float32Array.of(1.5, -2));
});

test('parameters of every kind, outputs and their order', () => {
  const request = read(
    {
      ...input('FP32', [1], { contents: { fp32_contents: [1] } }),
      id: 'abc',
      parameters: {
        timeout: { int64_param: '5000000' },
        negative: { int64_param: -3 },
        b: { bool_param: true },
        s: { string_param: '' },
        d: { double_param: 0.5 },
        u: { uint64_param: '18446744073709551615' },
        __proto__x: { string_param: 'y' },
      },
      outputs: [{ name: 'z' }, { name: 'y', parameters: { classification: { int64_param: 2 } } }],
    },
    model('FP32'),
  );
  expect(request.parameters).toEqual({
    timeout: 5_000_000,
    negative: -3,
    b: true,
    s: '',
    d: 0.5,
    u: 2 ** 64,
    __proto__x: 'y',
  });
  expect(request).toMatchObject({
    id: 'abc',
    outputNames: ['z', 'y'],
    outputs: [{ name: 'z' }, { name: 'y', classification: 2 }],
  });
});

const fp32 = (shape: number[], values: number[]) =>
  input('FP32', shape, { contents: { fp32_contents: values } });
const raw = (...entries: Buffer[]) => ({ ...input('FP32', [1]), raw_input_contents: entries });

describe('refused with 400 (404, 501) and words that name the tensor', () => {
  test.each<[string, object, RegExp, Datatype?]>([
    [
      'contents and raw',
      { ...fp32([1], [1]), raw_input_contents: [Buffer.alloc(4)] },
      /^contents field must not be/,
    ],
    ['two raw for one input', raw(Buffer.alloc(4), Buffer.alloc(4)), /has 2 entries for 1 inputs/],
    ['raw of the wrong size', raw(Buffer.alloc(5)), /input 'x'.*Expected 4, got 5/],
    ['too few elements', fp32([2], [1]), /input 'x': shape \[2\] wants 2 elements, 'data' has 1/],
    ['too many elements', fp32([1], [1, 2]), /input 'x': shape \[1\] wants 1 elements/],
    ['no contents', input('FP32', [1]), /input 'x': shape \[1\] wants 1 elements/],
    ['a shape that asks for terabytes', fp32([2 ** 40], [1]), /wants 1099511627776 elements/],
    [
      'a list of another datatype',
      input('FP32', [1], { contents: { int_contents: [1] } }),
      /int_contents.*fp32_contents/,
    ],
    [
      '300 as INT8',
      input('INT8', [1], { contents: { int_contents: [300] } }),
      /element 0 is 300, wanted an INT8/,
      'INT8',
    ],
    [
      'FP16 in a list',
      input('FP16', [1], { contents: { fp32_contents: [1] } }),
      /raw_input_contents only/,
      'FP16',
    ],
    [
      'bytes that are no text',
      input('BYTES', [1], { contents: { bytes_contents: [Buffer.from([255])] } }),
      /no UTF-8/,
      'BYTES',
    ],
    ['an unknown input', { inputs: [{ name: 'w' }] }, /unexpected inference input 'w'/],
    ['no input', {}, /expected 1 inputs but got 0/],
    ['an input twice', { inputs: [...fp32([1], [1]).inputs, ...fp32([1], [1]).inputs] }, /more than once/],
    ['another datatype', input('FP64', [1]), /data-type is 'FP64', model expects 'FP32'/],
    [
      'an unknown datatype',
      { inputs: [{ name: 'x', datatype: 'FP128', shape: [1] }] },
      /unknown data-type "FP128"/,
    ],
    ['another rank', fp32([1, 1], [1]), /Expected \[-1\], got \[1,1\]/],
    ['a negative dimension', fp32([-1], []), /negative dimension/],
    [
      'a dimension beyond 2^53',
      { inputs: [{ name: 'x', datatype: 'FP32', shape: ['9223372036854775807'] }] },
      /too large/,
    ],
    ['an unknown output', { ...fp32([1], [1]), outputs: [{ name: 'q' }] }, /unexpected inference output 'q'/],
    [
      'a parameter without a value',
      { ...fp32([1], [1]), parameters: { p: {} } },
      /parameter 'p' has no value/,
    ],
    [
      'shared memory',
      input('FP32', [1], { parameters: { shared_memory_region: { string_param: 'r' } } }),
      /shared memory is not supported/,
    ],
  ])('%s', (_name, message, words, datatype = 'FP32') => {
    expect(() => read(message, model(datatype))).toThrow(words);
  });

  test.each([
    ['text that is no UTF-8', '0a01ff', /no UTF-8|not UTF-8/],
    ['a field that is cut off', '0a05ff', /longer than the message/],
    ['the field 0', '0200', /number 0/],
    ['a group', '3b', /wire type 3/],
    ['a name that is a number', '0801', /wire type 0, it must be 2/],
    ['a length without end', '0affffffffffffffffffff', /length is too large/],
    ['more inputs than any model has', '2a00'.repeat(1025), /more than 1024 inputs/],
    ['more raw contents', '3a00'.repeat(1025), /more than 1024 raw_input_contents/],
  ])('%s', (_name, hex, words) => {
    expect(() => readInferFrame(Buffer.from(hex, 'hex'))).toThrow(words);
  });
});

test('an answer with FP16 has raw contents only, whatever was asked', () => {
  const half: Tensor = { name: 'h', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) };
  const text: Tensor = { name: 's', datatype: 'BYTES', shape: [2], data: ['a', 'bé'] };
  const answer = { modelName: 'm', modelVersion: undefined, id: '', outputs: [half, text], isRaw: false };
  const message = decode('ModelInferResponse', writeInferAnswer(answer, 0));
  expect((message.raw_output_contents as Buffer[]).map((bytes) => bytes.toString('hex'))).toEqual([
    '003c',
    `010000006103000000${Buffer.from('bé').toString('hex')}`,
  ]);
  expect((message.outputs as object[]).some((output) => 'contents' in output)).toBe(false);
  expect(decode('ModelStreamInferResponse', writeStreamFailure('no', '7', 0))).toEqual({
    error_message: 'no',
    infer_response: { id: '7' },
  });
});

test('a mutated message is read or refused as the caller’s fault, and costs no time', () => {
  const good = [
    encode('ModelInferRequest', {
      ...fp32([2, 3], [1, 2, 3, 4, 5, 6]),
      id: 'x',
      parameters: { a: { string_param: 'b' } },
      outputs: [{ name: 'y' }],
    }),
    encode('ModelInferRequest', { ...input('FP32', [2, 3]), raw_input_contents: [Buffer.alloc(24, 1)] }),
  ];
  const signature = model('FP32', [-1, 3]);
  fc.assert(
    fc.property(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(200),
      (bytes, changes, cut) => {
        const mutated = Buffer.from(bytes.subarray(0, Math.max(1, bytes.length - (cut % 3 === 0 ? cut : 0))));
        for (const [at, value] of changes) mutated[at % mutated.length] = value;
        try {
          const { inputs } = readInferRequest(readInferFrame(mutated), signature);
          for (const { data, shape } of inputs) expect(data.length).toBe(elementCount(shape));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect([400, 404, 501]).toContain((error as ProtocolError).status);
        }
      },
    ),
    { numRuns: 3000 },
  );
});
