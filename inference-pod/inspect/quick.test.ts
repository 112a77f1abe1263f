/** Which models may run on the main thread. */
import { expect, test } from '@jest/globals';
import {
  classifier,
  identity,
  infiniteLoop,
  loopOnDemand,
  memoryOnDemand,
  zipMap,
} from '../testing/models.ts';
import { memorySource } from './byte-source.ts';
import { inspectSource } from './inspect-model.ts';
import { isQuick, type QuickFacts } from './quick.ts';

const facts: QuickFacts = {
  bytes: 1_000,
  nodes: 2,
  operators: new Set(['Gemm', 'Softmax']),
  hasFunctions: false,
  mayBatch: true,
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
};
const input = (shape: number[], datatype: 'FP32' | 'BYTES' = 'FP32') => ({ name: 'x', datatype, shape });

test.each<[string, Partial<QuickFacts>, boolean]>([
  ['a small classifier', {}, true],
  ['several inputs', { inputs: [input([-1, 4]), input([-1])] }, true],
  ['a large file', { bytes: 70_000 }, false],
  ['many nodes', { nodes: 65 }, false],
  ['functions of its own', { hasFunctions: true }, false],
  ['rows that cannot be told apart', { mayBatch: false }, false],
  ['a loop', { operators: new Set(['Gemm', 'Loop']) }, false],
  ['an operator that nobody has looked at', { operators: new Set(['NewOperator']) }, false],
  ['rows of any size', { inputs: [input([-1, -1])] }, false],
  ['any shape', { inputs: [{ ...input([-1]), anyShape: true }] }, false],
  ['large rows', { inputs: [input([-1, 32, 32]), input([-1, 1])] }, false],
  ['texts', { inputs: [input([-1, 1], 'BYTES')] }, false],
])('%s', (_name, other, want) => {
  expect(isQuick({ ...facts, ...other })).toBe(want);
});

test.each([
  ['a classifier', classifier(), true],
  ['a classifier with ZipMap', zipMap(), true],
  ['a fixed first dimension', identity('FP32', [1, 4]), false],
  ['a loop without end', infiniteLoop(), false],
  ['a loop that the caller counts', loopOnDemand(), false],
  ['memory that the caller asks for', memoryOnDemand(), false],
])('as read from the file: %s', (_name, bytes, want) => {
  expect(inspectSource(memorySource(bytes)).isQuick).toBe(want);
});
