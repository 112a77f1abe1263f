import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  allocate,
  type Datatype,
  elementCount,
  type ModelSignature,
  type Tensor,
  type TensorData,
} from './datatypes.ts';
import { decodeInferRequest as decodeBody } from './decode.ts';
import { encodeInferAnswer } from './encode.ts';

const decodeInferRequest = (text: string, signature: ModelSignature) =>
  decodeBody(Buffer.from(text), signature);

/** An answer written by the encoder, read back as the request of a model with that one input. */
const roundTrip = (tensor: Tensor): Tensor => {
  type Reviver = (key: string, value: unknown, context: { source: string }) => unknown;
  // Keeps large integers as the text that was written.
  const keepText: Reviver = (_key, value, { source }) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) ? `#${source}#` : value;
  const written = encodeInferAnswer({ modelName: 'm', outputs: [tensor] }).body.toString();
  const answer = JSON.parse(written, keepText as (key: string, value: unknown) => unknown) as {
    outputs: unknown[];
  };
  const text = JSON.stringify({ inputs: answer.outputs }).replace(/"#([^#"]+)#"/g, '$1');
  const { name, datatype, shape } = tensor;
  const model = { name: 'm', inputs: [{ name, datatype, shape }], outputs: [] };
  const [input] = decodeInferRequest(text, model).inputs;
  if (input === undefined) throw new Error('no input came back');
  return input;
};

const tensorOf = <T>(datatype: Datatype, element: fc.Arbitrary<T>, fill: (values: T[]) => TensorData) =>
  fc
    .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
    .chain((shape) =>
      fc
        .array(element, { minLength: elementCount(shape), maxLength: elementCount(shape) })
        .map((values): Tensor => ({ name: 'x', datatype, shape, data: fill(values) })),
    );

const numbers = (datatype: Datatype) => (values: number[]) => {
  const data = allocate(datatype, values.length) as Float64Array<ArrayBuffer>;
  data.set(values);
  return data;
};
const whole = (min: number, max: number) => fc.integer({ min, max });
const finite = { noNaN: true, noDefaultInfinity: true } as const;
// The sign of zero has no place in JSON.stringify.
const plus = (value: number) => (Object.is(value, -0) ? 0 : value);

const arbitraries: Partial<Record<Datatype, fc.Arbitrary<Tensor>>> = {
  BOOL: tensorOf('BOOL', whole(0, 1), numbers('BOOL')),
  UINT8: tensorOf('UINT8', whole(0, 255), numbers('UINT8')),
  UINT16: tensorOf('UINT16', whole(0, 65_535), numbers('UINT16')),
  UINT32: tensorOf(
    'UINT32',
    whole(0, 2 ** 31 - 1).map((v) => v * 2 + 1),
    numbers('UINT32'),
  ),
  UINT64: tensorOf('UINT64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (v) => BigUint64Array.from(v)),
  INT8: tensorOf('INT8', whole(-128, 127), numbers('INT8')),
  INT16: tensorOf('INT16', whole(-32_768, 32_767), numbers('INT16')),
  INT32: tensorOf('INT32', whole(-(2 ** 31), 2 ** 31 - 1), numbers('INT32')),
  INT64: tensorOf('INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (v) =>
    BigInt64Array.from(v),
  ),
  FP32: tensorOf('FP32', fc.float(finite).map(plus), numbers('FP32')),
  FP64: tensorOf('FP64', fc.double(finite).map(plus), numbers('FP64')),
  BYTES: tensorOf('BYTES', fc.string({ unit: 'binary' }), (values) => values),
};

describe('what is written can be read, exactly', () => {
  test.each(Object.entries(arbitraries))('%s', (_datatype, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (tensor) => {
        expect(roundTrip(tensor)).toEqual(tensor);
      }),
      { numRuns: 200 },
    );
  });
});

const model = (datatype: Datatype, shape: number[] = [-1]) => ({
  name: 'm',
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [{ name: 'y', datatype, shape }],
});
const request = (datatype: string, data: string, shape = '[1]') =>
  `{"inputs":[{"name":"x","shape":${shape},"datatype":"${datatype}","data":${data}}]}`;
const dataOf = (datatype: Datatype, data: string, shape = '[1]') => {
  const rank = (JSON.parse(shape) as unknown[]).length;
  const spec = model(datatype, new Array<number>(rank).fill(-1));
  return decodeInferRequest(request(datatype, data, shape), spec).inputs[0]?.data;
};

describe('64-bit integers', () => {
  test.each([
    ['INT64', '[9007199254740993]', 9007199254740993n],
    ['INT64', '[-9223372036854775808]', -9223372036854775808n],
    ['INT64', '[9223372036854775807]', 9223372036854775807n],
    ['UINT64', '[18446744073709551615]', 18446744073709551615n],
    ['INT64', '[1e3]', 1000n],
    ['INT64', '[1.0]', 1n],
  ] as const)('%s %s is exact', (datatype, data, want) => {
    expect(dataOf(datatype, data)?.[0]).toBe(want);
  });
  test('large and small ones in one list, beside floats in another input', () => {
    const spec = {
      name: 'm',
      inputs: [
        { name: 'x', datatype: 'INT64', shape: [2] },
        { name: 'f', datatype: 'FP64', shape: [2] },
      ],
      outputs: [],
    } as const;
    const text =
      '{"parameters":{"p":9007199254740993},"inputs":[{"name":"x","shape":[2],"datatype":"INT64","data":[1,9007199254740993]},{"name":"f","shape":[2],"datatype":"FP64","data":[9007199254740993,0.5]}]}';
    const { inputs } = decodeInferRequest(text, spec);
    expect([...(inputs[0]?.data ?? [])]).toEqual([1n, 9007199254740993n]);
    expect([...(inputs[1]?.data ?? [])]).toEqual([9007199254740992, 0.5]);
  });
  test.each([
    ['INT64', '[9223372036854775808]'],
    ['INT64', '[-9223372036854775809]'],
    ['UINT64', '[18446744073709551616]'],
    ['UINT64', '[-1]'],
    ['INT64', '[1.5]'],
    ['INT64', '[9007199254740993.5]'],
    ['INT64', '[1e300]'],
    ['INT64', '["1"]'],
    ['INT64', '[true]'],
    ['INT64', '[9007199254740993e0]'],
    ['UINT64', '[99999999999999999999999999999999999999]'],
  ] as const)('%s %s is refused', (datatype, data) => {
    expect(() => dataOf(datatype, data)).toThrow(
      new RegExp(`^input 'x': element 0 is .*, wanted an? ${datatype}`),
    );
  });
});

test('a number that no double holds is told as it was written', () => {
  expect(() => dataOf('FP32', '[1e400]')).toThrow("input 'x': element 0 is 1e400, wanted an FP32");
});

describe('values at the edge of their datatype', () => {
  test.each([
    ['UINT8', '255', 255],
    ['UINT8', '-0', 0],
    ['INT8', '-128', -128],
    ['UINT32', '4294967295', 4294967295],
    ['FP32', '3.4028234663852886e38', 3.4028234663852886e38],
    ['FP32', '1e-46', 0],
    ['BOOL', 'true', 1],
    ['BOOL', 'false', 0],
    ['BOOL', '1', 1],
    ['BOOL', '0', 0],
    ['FP64', '-1.7976931348623157e308', -1.7976931348623157e308],
  ] as const)('%s takes %s', (datatype, text, want) => {
    expect(dataOf(datatype, `[${text}]`)?.[0]).toBe(want);
  });
  test.each([
    ['UINT8', '256'],
    ['UINT8', '-1'],
    ['INT8', '128'],
    ['UINT16', '65536'],
    ['INT16', '-32769'],
    ['UINT32', '4294967296'],
    ['UINT32', '0.5'],
    ['INT32', 'null'],
    ['INT32', '""'],
    ['INT32', '[]'],
    ['FP32', '3.5e38'],
    ['FP32', 'true'],
    ['FP64', '1e309'],
    ['FP64', '"1"'],
    ['BOOL', '2'],
    ['BOOL', '"true"'],
    ['BYTES', '1'],
    ['BYTES', 'null'],
  ] as const)('%s refuses %s', (datatype, text) => {
    expect(() => dataOf(datatype, `[${text}]`)).toThrow(/element 0 is|nested lists/);
  });
});

test.each([
  ['a shape that is missing', '{"inputs":[{"name":"petals","datatype":"FP32","data":[1]}]}'],
  ['a shape that is text', '{"inputs":[{"name":"petals","shape":"4","datatype":"FP32","data":[1]}]}'],
])('%s is refused with the tensor’s name', (_name, text) => {
  expect(() => decodeInferRequest(text, model('FP32'))).toThrow(/inputs\[0\].shape.*\(tensor 'petals'\)/);
});

describe('shapes', () => {
  test.each([
    ['a scalar in a list', '[5]', '[]', [5]],
    ['a scalar as it is', '5', '[]', [5]],
    ['three dimensions nested', '[[[1],[2]],[[3],[4]]]', '[2,2,1]', [1, 2, 3, 4]],
    ['three dimensions flat', '[1,2,3,4]', '[2,2,1]', [1, 2, 3, 4]],
    ['nothing', '[]', '[0]', []],
    ['rows of nothing', '[[],[]]', '[2,0]', []],
  ])('%s', (_name, data, shape, want) => {
    expect([...(dataOf('FP32', data, shape) ?? [])]).toEqual(want);
  });
  test.each([
    ['too flat', '[[1,2],3]', '[2,2]'],
    ['too deep', '[[[1],[2]]]', '[1,2]'],
    ['a list for a scalar', '[[1]]', '[]'],
    ['two for a scalar', '[1,2]', '[]'],
    ['none for a scalar', '[]', '[]'],
  ])('%s is refused', (_name, data, shape) => {
    expect(() => dataOf('FP32', data, shape)).toThrow(/^Shape does not match|^input 'x': element/);
  });
});

test.each(['FP16', 'BF16'] as const)('%s has no JSON form', (datatype) => {
  expect(() => dataOf(datatype, '[1]')).toThrow(
    `input 'x' has data-type ${datatype}, which has no JSON form`,
  );
});

test('anything at all is either read or refused with a 4xx', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), (text) => {
      try {
        decodeInferRequest(text, model('FP32'));
      } catch (error) {
        expect((error as { status?: number }).status).toBe(400);
      }
    }),
    { numRuns: 500 },
  );
});

test('any list of values for any datatype is either read or refused with a 400', () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    fc.constant([]),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...(Object.keys(arbitraries) as Datatype[])),
      fc.array(value),
      (datatype, values) => {
        const text = request(datatype, JSON.stringify(values), `[${values.length}]`);
        try {
          const data = decodeInferRequest(text, model(datatype)).inputs[0]?.data;
          expect(data?.length).toBe(values.length);
        } catch (error) {
          expect((error as { status?: number }).status).toBe(400);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
