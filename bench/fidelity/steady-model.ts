/** The model of the fidelity runs: a service time of this machine's own choosing that hardly varies. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { model, node, tensor } from '../../inference-pod/testing/onnx.ts';
import { type BenchModel, madeUpNumbers } from '../pod/models.ts';

const size = 384;

/**
 * A chain of `steps` products of 384 × 384 matrices (0.113 GFLOP each) behind an input of one number: the request is 80
 * bytes, all of the time is one core's arithmetic. The first dimension is fixed, so that nothing is batched.
 */
export function steadyModel(directory: string, steps: number): BenchModel {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `steady-${steps}.onnx`);
  const input = { name: 'x', datatype: 'FP32' as const, row: [1] };
  if (!existsSync(path)) {
    const scaled = (count: number, seed: number) =>
      madeUpNumbers(count, seed).map((value) => value / Math.sqrt(size / 3));
    const nodes = [node('Add', ['x', 'w'], ['a0'])];
    for (let step = 1; step <= steps; step += 1)
      nodes.push(node('MatMul', [`a${step - 1}`, 'w'], [`a${step}`]));
    nodes.push(node('MatMul', ['row', `a${steps}`], ['r']), node('MatMul', ['r', 'column'], ['y']));
    writeFileSync(
      path,
      model({
        inputs: [{ name: 'x', type: 'FP32', shape: [1, 1] }],
        outputs: [{ name: 'y', type: 'FP32', shape: [1, 1] }],
        nodes,
        initializers: [
          tensor('w', 'FP32', [size, size], scaled(size * size, 1)),
          tensor('row', 'FP32', [1, size], scaled(size, 2)),
          tensor('column', 'FP32', [size, 1], scaled(size, 3)),
        ],
      }),
    );
  }
  return { name: `steady-${steps}`, path, megabytes: 0.6, input, output: { name: 'y', row: [1] } };
}

/** The request that a steady model is sent. */
export const steadyRequest = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [0.5] }],
});
