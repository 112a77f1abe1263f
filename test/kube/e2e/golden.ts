/** Golden answers of the samples, within what another processor may differ by. */
import { expect } from '@jest/globals';
import { sampleFile } from './bed.ts';

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: readonly (number | string)[] }[];
}

/** Fails unless `answer` holds the sample's outputs, to five digits after the point. */
export function expectGolden(sample: string, answer: unknown): void {
  const golden = JSON.parse(sampleFile(sample, 'golden/response.json')) as Answer;
  const rounded = ({ outputs }: Answer) =>
    outputs.map(({ name, data }) => ({
      name,
      data: data.map((value) => (typeof value === 'number' ? value.toFixed(4) : value)),
    }));
  expect(rounded(answer as Answer)).toEqual(rounded(golden));
}
