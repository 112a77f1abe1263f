import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  classifier,
  externalData,
  identity,
  lyingTensor,
  nested,
  twoInputs,
  zipMap,
} from '../testing/models.ts';
import { graph, model, modelOf, node, tensor } from '../testing/onnx.ts';
import { memorySource } from './byte-source.ts';
import { inspectModel, inspectSource } from './inspect-model.ts';
import { ModelError } from './model-error.ts';
import { messageField } from './protobuf-writer.ts';

const inspect = (bytes: Uint8Array) => inspectSource(memorySource(bytes));
const text = (value: string) => new TextEncoder().encode(value);

describe('reads', () => {
  test('inputs, outputs, shapes, opset; initialisers are no inputs', () => {
    const bytes = model({
      inputs: [
        { name: 'x', type: 'FP32', shape: ['batch', null, 3] },
        { name: 'w', type: 'FP32', shape: [3] },
      ],
      outputs: [{ name: 'y', type: 'FP32', shape: undefined }],
      nodes: [node('Add', ['x', 'w'], ['y'])],
      initializers: [tensor('w', 'FP32', [3], Float32Array.of(1, 2, 3))],
    });
    expect(inspect(bytes)).toMatchObject({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, -1, 3] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], anyShape: true }],
      opset: 17,
      producer: 'ballast-test',
      nodes: 1,
      mayBatch: true,
      rewired: undefined,
      remarks: [],
    });
  });
  test('a file through a small window', () => {
    const dir = mkdtempSync(join(tmpdir(), 'ballast-inspect-'));
    const weights = new Float32Array(1_000_000);
    const bytes = model({
      inputs: [{ name: 'x', type: 'FP32', shape: [1_000_000] }],
      outputs: [{ name: 'y', type: 'FP32', shape: [1_000_000] }],
      nodes: [node('Add', ['x', 'w'], ['y'])],
      initializers: [tensor('w', 'FP32', [1_000_000], weights)],
    });
    writeFileSync(join(dir, 'm.onnx'), bytes);
    expect(inspectModel(join(dir, 'm.onnx')).inputs).toEqual([
      { name: 'x', datatype: 'FP32', shape: [1_000_000] },
    ]);
    rmSync(dir, { recursive: true, force: true });
  });
  test.each([
    ['one name for the first dimension', twoInputs(), true],
    ['a fixed first dimension', identity('FP32', [1, 2]), false],
    ['a scalar', identity('FP32', []), false],
    ['no rank', identity('FP32', undefined), false],
  ])('%s: may be batched %#', (_name, bytes, want) => {
    expect(inspect(bytes).mayBatch).toBe(want);
  });
  test('an output that is declared with one row is left to the trial, one with two is not batched', () => {
    const outputOf = (rows: number) =>
      model({
        inputs: [{ name: 'x', type: 'FP32', shape: [null, 2] }],
        outputs: [{ name: 'label', type: 'FP32', shape: [rows] }],
        nodes: [node('ReduceSum', ['x'], ['label'])],
      });
    expect(inspect(outputOf(1)).mayBatch).toBe(true);
    expect(inspect(outputOf(2)).mayBatch).toBe(false);
  });
  test('two names for the first dimension are two things', () => {
    const bytes = model({
      inputs: [
        { name: 'a', type: 'FP32', shape: ['rows', 2] },
        { name: 'b', type: 'FP32', shape: ['columns', 2] },
      ],
      outputs: [{ name: 'y', type: 'FP32', shape: [null, null] }],
      nodes: [node('MatMul', ['a', 'b'], ['y'])],
    });
    expect(inspect(bytes).mayBatch).toBe(false);
  });
  test('ZipMap as the tensor behind it', () => {
    const found = inspect(zipMap());
    expect(found.outputs).toEqual([
      { name: 'output_label', datatype: 'INT64', shape: [-1] },
      {
        name: 'output_probability',
        datatype: 'FP32',
        shape: [-1, 3],
        rewiredFrom: 'ZipMap',
        labels: ['0', '1', '2'],
      },
    ]);
    expect(found.remarks[0]).toMatch(/Export with zipmap=False/);
    // What was rewired is a model that needs no rewiring.
    expect(inspect(found.rewired ?? new Uint8Array()).rewired).toBeUndefined();
  });
});

describe('rewires', () => {
  const normalizer = (attributes: Parameters<typeof node>[3]) =>
    model({
      inputs: [{ name: 'x', type: 'BYTES', shape: [null] }],
      outputs: [{ name: 'y', type: 'BYTES', shape: [null] }],
      nodes: [node('StringNormalizer', ['x'], ['y'], attributes)],
    });
  test.each([
    ['en_US', { locale: { text: 'en_US' } }, true],
    ['nothing, which means en_US.UTF-8', { case_change_action: { text: 'LOWER' } }, true],
    ['another locale', { locale: { text: 'tr_TR.UTF-8' } }, false],
  ] as const)('a text operator that asks for %s', (_name, attributes, isRewired) => {
    const found = inspect(normalizer(attributes));
    const written = found.rewired === undefined ? '' : new TextDecoder().decode(found.rewired);
    expect(written.includes('C.UTF-8')).toBe(isRewired);
    expect(written).not.toContain('en_US');
    expect(found.remarks).toHaveLength(isRewired ? 1 : 0);
    // What was rewired is a model that needs no rewiring, and keeps its other attributes.
    if (isRewired) expect(inspect(found.rewired ?? new Uint8Array()).rewired).toBeUndefined();
    if ('case_change_action' in attributes) expect(written).toContain('LOWER');
  });
});

describe('says', () => {
  const one = (opType: string) =>
    inspect(
      model({
        inputs: [{ name: 'x', type: 'FP32', shape: [null, 2] }],
        outputs: [{ name: 'y', type: 'FP32', shape: [null, 2] }],
        nodes: [node(opType, ['x'], ['y'])],
      }),
    );
  test('which operator would end the process on a size of 0', () => {
    expect(one('LSTM').endsOnEmpty).toBe('LSTM');
    expect(one('Relu').endsOnEmpty).toBeUndefined();
  });
  test('that a scale for the whole batch forbids batches', () => {
    const found = one('DynamicQuantizeLinear');
    expect(found.mayBatch).toBe(false);
    expect(found.remarks[0]).toMatch(/never batched: DynamicQuantizeLinear/);
    expect(one('Relu').mayBatch).toBe(true);
  });
});

describe('refuses', () => {
  const whole = classifier();
  const sequence = () => {
    const output = messageField(12, text('\u000a\u0001s'), messageField(2, messageField(4, messageField(1))));
    const body = graph({ inputs: [], outputs: [], nodes: [node('SequenceEmpty', [], ['s'])] });
    return modelOf(Uint8Array.from([...body, ...output]));
  };
  const cases: Record<string, { bytes: Uint8Array; reason: string; message: RegExp }> = {
    'an empty file': { bytes: new Uint8Array(), reason: 'ModelInvalid', message: /^the file is empty$/ },
    HTML: { bytes: text('  <!DOCTYPE html>\n<html>'), reason: 'ModelInvalid', message: /is an HTML page/ },
    XML: { bytes: text('<?xml version="1.0"?><Error/>'), reason: 'ModelInvalid', message: /is XML/ },
    'a Git LFS pointer': {
      bytes: text('version https://git-lfs.github.com/spec/v1\noid sha256:'),
      reason: 'ModelInvalid',
      message: /Git LFS pointer/,
    },
    JSON: { bytes: text('{"error":"x"}'), reason: 'ModelInvalid', message: /JSON text/ },
    'a zip': { bytes: text('PK\u0003\u0004…'), reason: 'ModelInvalid', message: /zip archive/ },
    'a pickle': { bytes: Uint8Array.of(0x80, 4, 0x95), reason: 'ModelInvalid', message: /pickle/ },
    zeros: { bytes: new Uint8Array(1000), reason: 'ModelInvalid', message: /all zeros/ },
    'half a model': {
      bytes: whole.slice(0, whole.length / 2),
      reason: 'ModelInvalid',
      message: /is cut off/,
    },
    'plain text': {
      bytes: text('hello, I am a model'),
      reason: 'ModelInvalid',
      message: /^the file is text, not an ONNX model; it begins with 'hello, I am a model'$/,
    },
    'what is neither': {
      bytes: text('\u0007hello'),
      reason: 'ModelInvalid',
      message: /no ONNX model that can be read/,
    },
    'a protobuf that is no model': {
      bytes: Uint8Array.of(0x08, 0x07),
      reason: 'ModelInvalid',
      message: /has no graph/,
    },
    'weights in another file': {
      bytes: externalData('weights.bin'),
      reason: 'ModelUnsupported',
      message: /keeps the weights of 'w' in another file, 'weights.bin', which the URI does not bring/,
    },
    'graphs nested too deeply': {
      bytes: nested(3000),
      reason: 'ModelInvalid',
      message: /nests graphs deeper than 64/,
    },
    'a tensor larger than the file': {
      bytes: lyingTensor(),
      reason: 'ModelInvalid',
      message: /the tensor 'w' claims 1000000000000 elements in a file of \d+ bytes/,
    },
    'operators of another domain': {
      bytes: model({
        inputs: [],
        outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
        nodes: [node('Evil', [], ['y'], {}, 'my.domain')],
      }),
      reason: 'ModelUnsupported',
      message: /domain 'my\.domain'/,
    },
    'no outputs': {
      bytes: model({ inputs: [], outputs: [], nodes: [] }),
      reason: 'ModelInvalid',
      message: /has no outputs/,
    },
    'a sequence': { bytes: sequence(), reason: 'ModelUnsupported', message: /output 's' is a sequence/ },
    bfloat16: { bytes: identity('BF16', [1]), reason: 'ModelUnsupported', message: /type bfloat16/ },
    'complex numbers': {
      bytes: model({
        inputs: [{ name: 'x', type: 14, shape: [1] }],
        outputs: [{ name: 'y', type: 14, shape: [1] }],
        nodes: [],
      }),
      reason: 'ModelUnsupported',
      message: /input 'x' has elements of type complex64/,
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { bytes, reason, message }) => {
    let caught: unknown;
    try {
      inspect(bytes);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(ModelError);
    expect(caught).toMatchObject({ reason, message: expect.stringMatching(message) });
  });
});

describe('never breaks', () => {
  test('on a list of labels that is no text, which is read only after everything else', () => {
    const bytes = Buffer.from(zipMap());
    const first = bytes.indexOf('classlabels_int64s') + 'classlabels_int64s'.length;
    expect(bytes[first]).toBe(0x40);
    bytes[first] = 0x48;
    expect(() => inspect(bytes)).toThrow(ModelError);
    expect(() => inspect(bytes)).toThrow(/has a number where text belongs/);
  });
  const models = [classifier(), zipMap(), twoInputs(), externalData('w')];
  test('on bytes that were changed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
        fc.option(fc.nat(), { nil: undefined }),
        (original, changes, cut) => {
          let bytes = original.slice();
          for (const [position, value] of changes) bytes[position % bytes.length] = value;
          if (cut !== undefined) bytes = bytes.slice(0, cut % bytes.length);
          try {
            inspect(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(ModelError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
  test('on bytes that are nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          inspect(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
