/** What to send: a file, the sample's own request, or one made from the model's metadata. */
import { existsSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { request } from 'undici';

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** Largest tensor that is made up: an input with larger fixed dimensions needs a request of the user's own. */
const mostElements = 4_000_000;

/** The `golden/request.json` beside a sample's model, when the model is one of the samples. */
export function sampleRequest(modelUri: string, checkout: string): string | undefined {
  const match = /^file:\/\/\/samples\/(.+)\/[^/]+$/.exec(modelUri);
  const folder = match?.[1];
  if (folder === undefined || normalize(folder).startsWith('..')) return undefined;
  const path = join(checkout, 'samples', folder, 'golden/request.json');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function exampleElement(datatype: string): unknown {
  if (datatype === 'BYTES') return 'example';
  if (datatype === 'BOOL') return true;
  return datatype.startsWith('FP') || datatype === 'BF16' ? 0.5 : 1;
}

/** A request with every input filled with the same value, free dimensions taken as 1. */
export function exampleRequest(inputs: readonly TensorMetadata[]): string {
  return JSON.stringify({
    inputs: inputs.map(({ name, datatype, shape }) => {
      const whole = shape.map((size) => (size < 0 ? 1 : size));
      const elements = whole.reduce((product, size) => product * size, 1);
      if (elements > mostElements)
        throw new TypeError(`input "${name}" has ${elements} elements: give a request with --request FILE`);
      return { name, datatype, shape: whole, data: new Array(elements).fill(exampleElement(datatype)) };
    }),
  });
}

/** Asks the server for the model's inputs and makes a request from them. */
export async function generatedRequest(modelUrl: string, timeoutMs: number): Promise<string> {
  const answer = await request(modelUrl, { signal: AbortSignal.timeout(timeoutMs) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200)
    throw new TypeError(`GET ${modelUrl} answered HTTP ${answer.statusCode}: ${text.slice(0, 200)}`);
  const { inputs } = JSON.parse(text) as { inputs?: readonly TensorMetadata[] };
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new TypeError(`GET ${modelUrl} names no inputs: give a request with --request FILE`);
  return exampleRequest(inputs);
}
