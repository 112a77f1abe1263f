/** Infer requests over HTTP, in JSON and in the binary extension. */
import { Agent, request } from 'node:http';
import { type Answer, binaryOf, fromBinary, fromJson, jsonOf } from './tensors.ts';

/** What came back when it was no answer. */
export class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface OutputHead {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Whole numbers that a double cannot hold stay exact. */
const exact: Reviver = (_key, value, { source }) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')
    ? BigInt(source ?? '')
    : value;

const parse = (text: string) =>
  JSON.parse(text, exact as (key: string, value: unknown) => unknown) as { outputs: OutputHead[] };

/** One for all pods; node's own fetch ends the process when a server closes while an answer waits to be read. */
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

const lengthHeader = 'inference-header-content-length';

interface Raw {
  readonly body: Buffer;
  readonly jsonLength: number;
}

/** Posts to the infer path; throws an HttpError for everything but 200. */
function post(url: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v2/models/m/infer`,
      { method: 'POST', agent, headers, timeout: 60_000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          if (response.statusCode === 200)
            resolve({ body: whole, jsonLength: Number(response.headers[lengthHeader] ?? whole.length) });
          else reject(new HttpError(response.statusCode ?? 0, whole.toString().slice(0, 1000)));
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer within a minute')));
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Asks in JSON and reads JSON. */
export async function askJson(url: string, inputs: readonly Answer[]): Promise<Answer[]> {
  const { body } = await post(url, `{"inputs":[${inputs.map(jsonOf).join()}]}`);
  const text = body.toString();
  return parse(text).outputs.map(({ name, datatype, shape, data }) => ({
    name,
    datatype,
    shape,
    data: fromJson(datatype, data ?? []),
  }));
}

/** Asks with binary tensors and reads binary tensors. */
export async function askBinary(url: string, inputs: readonly Answer[]): Promise<Answer[]> {
  const blobs = inputs.map(binaryOf);
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: inputs.map(({ name, datatype, shape }, i) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: blobs[i]?.length },
      })),
    }),
  );
  const { body, jsonLength } = await post(url, Buffer.concat([head, ...blobs]), {
    'content-type': 'application/octet-stream',
    [lengthHeader]: String(head.length),
  });
  let at = jsonLength;
  return parse(body.toString('utf8', 0, at)).outputs.map(({ name, datatype, shape, parameters }) => {
    const size = parameters?.binary_data_size;
    if (size === undefined) throw new Error(`output '${name}' is not binary`);
    const data = fromBinary(datatype, body.subarray(at, at + size));
    at += size;
    return { name, datatype, shape, data };
  });
}
