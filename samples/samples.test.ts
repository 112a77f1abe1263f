import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load, loadAll } from 'js-yaml';
import { modelDeploymentSchema } from '../crds/schema.ts';

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data: (number | string | boolean)[];
}

interface Manifest {
  metadata: { name: string };
  spec: { model: { uri: string; sha256?: string } };
}

const folder = import.meta.dirname;
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
  .map((entry) => entry.name);
const read = (name: string, file: string) => readFileSync(join(folder, name, file));
const json = <T>(name: string, file: string) => JSON.parse(read(name, file).toString()) as T;
const manifest = (name: string) => load(read(name, 'modeldeployment.yaml').toString()) as Manifest;
const digest = (name: string) => createHash('sha256').update(read(name, 'model.onnx')).digest('hex');

const fits: Record<string, (value: unknown) => boolean> = {
  FP32: (value) => typeof value === 'number' && Number.isFinite(Math.fround(value)),
  INT64: (value) => Number.isSafeInteger(value),
  UINT8: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255,
  BYTES: (value) => typeof value === 'string',
};

test('there are four samples, each with its own page', () => {
  expect(names.sort()).toEqual(['digit-images', 'digits', 'penguins', 'wine']);
  const page = readFileSync(join(folder, 'README.md'), 'utf8');
  for (const name of names) expect(page).toContain(`(${name}/README.md)`);
});

test('the samples cover strings, bytes, integers and floats', () => {
  const datatypes = names.flatMap((name) =>
    json<{ inputs: Tensor[] }>(name, 'golden/request.json').inputs.map((tensor) => tensor.datatype),
  );
  expect([...new Set(datatypes)].sort()).toEqual(['BYTES', 'FP32', 'INT64', 'UINT8']);
});

describe.each(names)('%s', (name) => {
  test('has a model under 1 MB', () => {
    expect(read(name, 'model.onnx').length).toBeGreaterThan(100);
    expect(read(name, 'model.onnx').length).toBeLessThan(1_000_000);
  });

  test('has one manifest that fits the schema and points at its own model', () => {
    expect(loadAll(read(name, 'modeldeployment.yaml').toString())).toHaveLength(1);
    const parsed = modelDeploymentSchema.safeParse(manifest(name));
    expect(parsed.error?.issues ?? []).toEqual([]);
    expect(manifest(name).metadata.name).toBe(name);
    expect(manifest(name).spec.model.uri).toBe(`file:///samples/${name}/model.onnx`);
  });

  test('promises the digest that the file has, where it promises one', () => {
    expect(manifest(name).spec.model.sha256 ?? digest(name)).toBe(digest(name));
  });

  test('has a golden request and answer of the same rows, each value fitting its datatype and shape', () => {
    const request = json<{ id: string; inputs: Tensor[] }>(name, 'golden/request.json');
    const response = json<{ id: string; model_name: string; outputs: Tensor[] }>(
      name,
      'golden/response.json',
    );
    expect(response.model_name).toBe(name);
    expect(response.id).toBe(request.id);
    const rows = request.inputs[0]?.shape[0];
    expect(rows).toBeGreaterThan(1);
    for (const tensor of [...request.inputs, ...response.outputs]) {
      expect(tensor.shape[0]).toBe(rows);
      expect(tensor.data).toHaveLength(tensor.shape.reduce((product, size) => product * size, 1));
      const wrong = tensor.data.filter((value) => fits[tensor.datatype]?.(value) !== true);
      expect({ tensor: tensor.name, wrong }).toEqual({ tensor: tensor.name, wrong: [] });
    }
  });

  test('has probabilities that sum to 1, the largest at the answer', () => {
    const { outputs } = json<{ outputs: Tensor[] }>(name, 'golden/response.json');
    const probabilities = outputs.find((tensor) => tensor.name === 'probabilities');
    const answer = outputs.find((tensor) => tensor.name !== 'probabilities');
    const [rows = 0, classes = 0] = probabilities?.shape ?? [];
    for (let row = 0; row < rows; row += 1) {
      const values = (probabilities?.data.slice(row * classes, (row + 1) * classes) ?? []).map(Number);
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      const best = values.indexOf(Math.max(...values));
      if (answer?.datatype === 'INT64') expect(answer.data[row]).toBe(best);
    }
  });

  test('holds nothing but its manifest where kubectl apply -f of the folder looks', () => {
    const seen = readdirSync(join(folder, name)).filter((file) => /\.(json|ya?ml)$/.test(file));
    expect(seen).toEqual(['modeldeployment.yaml']);
  });

  test('has a page that says how it was made, how right it is, and how to try it', () => {
    const page = read(name, 'README.md').toString();
    for (const words of ['held back', 'make.py', `kubectl apply -f samples/${name}/ `])
      expect(page).toContain(words);
    expect(page).toContain(`/v2/models/${name}/infer`);
  });
});
