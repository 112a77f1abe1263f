/** The samples that ship with the image answer as Python's onnxruntime did. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { serveModel } from './testing/pod.ts';

const root = join(import.meta.dirname, '../samples');
const names = readdirSync(root).filter((name) => existsSync(join(root, name, 'golden/response.json')));

interface Answer {
  outputs: { name: string; shape: number[]; datatype: string; data: (number | string)[] }[];
}

test.each(names)('%s', async (name) => {
  const served = await serveModel(readFileSync(join(root, name, 'model.onnx')));
  try {
    const { status, body } = await served.infer(
      readFileSync(join(root, name, 'golden/request.json'), 'utf8'),
    );
    expect(status).toBe(200);
    const golden = JSON.parse(readFileSync(join(root, name, 'golden/response.json'), 'utf8')) as Answer;
    const got = body as Answer;
    expect(got.outputs.map(({ data, ...rest }) => ({ ...rest, count: data.length }))).toEqual(
      golden.outputs.map(({ data, ...rest }) => ({ ...rest, count: data.length })),
    );
    for (const [i, output] of golden.outputs.entries())
      for (const [j, want] of output.data.entries()) {
        const value = got.outputs[i]?.data[j];
        if (typeof want === 'number') expect(Math.abs((value as number) - want)).toBeLessThan(1e-5);
        else expect(value).toBe(want);
      }
    const metadata = (await (await fetch(`${served.url}/v2/models/m`)).json()) as { inputs: unknown[] };
    expect(metadata.inputs.length).toBeGreaterThan(0);
  } finally {
    await served.stop();
  }
});
