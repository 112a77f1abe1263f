import { describe, expect, test } from '@jest/globals';
import { decodeProtobuf } from './decode.ts';

const field = (number: number, body: Buffer | string) => {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};
const integer = (number: number, value: number) => Buffer.from([number << 3, value]);
const wrap = (apiVersion: string, kind: string, ...raw: Buffer[]) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
    field(2, Buffer.concat(raw)),
  ]);

describe('protobuf bodies', () => {
  test('a Secret: texts, maps of bytes, empty fields left out', () => {
    const entry = Buffer.concat([field(1, 'key'), field(2, 'value')]);
    const body = wrap(
      'v1',
      'Secret',
      field(1, Buffer.concat([field(1, 's'), field(2, ''), field(3, 'ns')])),
      field(2, entry),
      field(3, 'Opaque'),
    );
    expect(decodeProtobuf(body)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'ns' },
      data: { key: Buffer.from('value').toString('base64') },
      type: 'Opaque',
    });
  });

  test('the zero of a pointer counts, that of a plain field does not', () => {
    const spec = Buffer.concat([integer(1, 0), integer(5, 0), integer(7, 0)]);
    expect(decodeProtobuf(wrap('apps/v1', 'Deployment', field(2, spec)))).toMatchObject({
      spec: { replicas: 0 },
    });
    const decoded = decodeProtobuf(wrap('apps/v1', 'Deployment', field(2, spec)));
    expect(Object.keys(decoded.spec as object)).toEqual(['replicas']);
  });

  test('an int-or-string, a time, an inline message', () => {
    const rolling = field(1, Buffer.concat([integer(1, 1), field(3, '25%')]));
    const deployment = decodeProtobuf(wrap('apps/v1', 'Deployment', field(2, field(4, field(2, rolling)))));
    expect(deployment.spec).toEqual({ strategy: { rollingUpdate: { maxUnavailable: '25%' } } });
    const selector = field(
      7,
      Buffer.concat([
        field(1, 'A'),
        field(3, field(3, Buffer.concat([field(1, field(1, 'map')), field(2, 'k')]))),
      ]),
    );
    const pod = decodeProtobuf(wrap('v1', 'Pod', field(2, field(2, selector))));
    expect(pod.spec).toEqual({
      containers: [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'map', key: 'k' } } }] }],
    });
  });

  test('versions of a kind are told apart', () => {
    const spec = field(2, integer(4, 50));
    expect(decodeProtobuf(wrap('autoscaling/v1', 'HorizontalPodAutoscaler', spec)).spec).toEqual({
      targetCPUUtilizationPercentage: 50,
    });
  });

  test('what is cut off, foreign or unknown is refused', () => {
    const whole = wrap('v1', 'Secret', field(3, 'Opaque'));
    expect(() => decodeProtobuf(whole.subarray(0, whole.length - 3))).toThrow('cut off');
    expect(() => decodeProtobuf(Buffer.from('{"a":1}'))).toThrow('prefix');
    expect(() => decodeProtobuf(wrap('v1', 'Unheard'))).toThrow('unknown format');
  });
});
