/** Requests to begin with: each right, in every form that the pod takes. */
import { gzipSync } from 'node:zlib';
import {
  bytesField,
  intField,
  join,
  messageField,
  textField,
} from '../../../inference-pod/inspect/protobuf-writer.ts';
import { everyDatatype } from '../../../inference-pod/testing/models.ts';
import type { Datatype } from '../../../protocol/datatypes.ts';
import type { Random } from '../../kube/differential/chance.ts';
import { mutateBytes, mutateValue } from './mutate.ts';

const types: readonly Datatype[] = ['FP32', 'INT64', 'BYTES', 'BOOL', 'UINT8', 'FP64', 'INT32'];

/** The model that is asked: each input comes back as an output. */
export const fuzzedModel = (): Uint8Array => everyDatatype(types);

const dataOf: Partial<Record<Datatype, readonly unknown[]>> = {
  BYTES: ['a', 'ü'],
  BOOL: [true, false],
};
const tensorOf = (datatype: Datatype) => ({
  name: `in_${datatype}`,
  datatype,
  shape: [1, 2],
  data: dataOf[datatype] ?? [1, 2],
});
const v2 = {
  id: 'one',
  parameters: { a: 1 },
  inputs: types.map(tensorOf),
  outputs: [{ name: 'out_FP32' }, { name: 'out_BYTES' }],
};
const v1 = { instances: [Object.fromEntries(types.map((type) => [`in_${type}`, tensorOf(type).data]))] };

const rawOf = (datatype: Datatype): Buffer => {
  if (datatype === 'BYTES') return Buffer.from('\x01\0\0\0a\x02\0\0\0üu'.slice(0, 12), 'latin1');
  const widths: Partial<Record<Datatype, number>> = {
    FP32: 4,
    INT64: 8,
    BOOL: 1,
    UINT8: 1,
    FP64: 8,
    INT32: 4,
  };
  return Buffer.alloc(2 * (widths[datatype] ?? 1), 1);
};
const binary = () => {
  const blobs = types.map(rawOf);
  const header = JSON.stringify({
    inputs: types.map((type, i) => ({
      name: `in_${type}`,
      datatype: type,
      shape: [1, 2],
      parameters: { binary_data_size: blobs[i]?.length ?? 0 },
    })),
    parameters: { binary_data_output: true },
  });
  return { header, body: Buffer.concat([Buffer.from(header), ...blobs]) };
};
const grpcMessage = () =>
  join([
    textField(1, 'm'),
    textField(3, 'id'),
    ...types.map((type) =>
      messageField(5, textField(1, `in_${type}`), textField(2, type), intField(3, 1), intField(3, 2)),
    ),
    ...types.map((type) => bytesField(7, rawOf(type))),
  ]);

/** One request, nearly right. */
export interface FuzzedRequest {
  readonly kind: 'rest' | 'grpc';
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const infer = '/v2/models/m/infer';
const rest = (body: Buffer, headers: Record<string, string> = {}, path = infer): FuzzedRequest => ({
  kind: 'rest',
  path,
  method: 'POST',
  headers,
  body,
});

/** Makes the next request by chance. */
export const fuzzedRequest = (random: Random): FuzzedRequest => {
  const text = Buffer.from(JSON.stringify(v2));
  switch (random.below(10)) {
    case 0:
    case 1:
      return rest(Buffer.from(JSON.stringify(mutateValue(random, v2)) ?? ''));
    case 2:
      return rest(mutateBytes(random, text));
    case 3:
      return rest(mutateBytes(random, Buffer.from(JSON.stringify(mutateValue(random, v2)) ?? '')));
    case 4: {
      const { header, body } = binary();
      const length = random.chance(0.7)
        ? String(header.length)
        : random.pick([
            '0',
            '-1',
            '1e3',
            '',
            String(body.length + 1),
            String(header.length - 1),
            '9'.repeat(30),
          ]);
      return rest(mutateBytes(random, body), { 'inference-header-content-length': length });
    }
    case 5: {
      const packed = gzipSync(random.chance(0.5) ? text : mutateBytes(random, text));
      return rest(random.chance(0.5) ? packed : mutateBytes(random, packed), {
        'content-encoding': random.pick(['gzip', 'deflate', 'gzip, gzip', 'br', 'identity']),
      });
    }
    case 6:
      return rest(
        random.chance(0.5)
          ? Buffer.from(JSON.stringify(mutateValue(random, v1)) ?? '')
          : mutateBytes(random, Buffer.from(JSON.stringify(v1))),
        {},
        '/v1/models/m:predict',
      );
    case 7: {
      const paths = [
        '/v2/models/m/infer',
        '/v2/models/m/versions/1/infer',
        '/v2/models/m',
        '/v2',
        '/openapi.json',
        '/',
        '/v2/health/ready',
        '/v2/models/m/stats',
        '/v2/repository/index',
        '/v2/repository/models/m/load',
      ];
      const path = `/${mutateBytes(random, Buffer.from(random.pick(paths).slice(1)), 2)
        .toString('latin1')
        .replace(/[\0-\x20\x7f-\xff]/g, '%')}`;
      return {
        ...rest(text, {}, path),
        method: random.pick(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']),
      };
    }
    default: {
      const message = random.chance(0.2) ? Buffer.from(grpcMessage()) : mutateBytes(random, grpcMessage());
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(random.chance(0.9) ? message.length : random.below(2 ** 31), 1);
      if (random.chance(0.05)) prefix[0] = random.below(256);
      return {
        kind: 'grpc',
        path: random.pick([
          'ModelInfer',
          'ModelInfer',
          'ModelInfer',
          'ModelStreamInfer',
          'ModelMetadata',
          'ServerReady',
          'Nothing',
        ]),
        method: 'POST',
        headers: {},
        body: Buffer.concat([prefix, message]),
      };
    }
  }
};
