/** security.md S17-S19: keys that change prototypes, numbers that no type holds, text that forges lines. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { everyDatatype } from '../../inference-pod/testing/models.ts';
import { serveModel, type TestPod } from '../../inference-pod/testing/pod.ts';
import type { Datatype } from '../../protocol/datatypes.ts';

const types: readonly Datatype[] = ['FP32', 'FP64', 'INT64', 'INT8', 'UINT8', 'UINT64', 'BOOL', 'BYTES'];
let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(everyDatatype(types));
});
afterAll(() => pod.stop());

const zero: Partial<Record<Datatype, string>> = { BOOL: 'false', BYTES: '""' };
/** A request with `text` as the first element of one input, written as it stands. */
const withElement = (type: Datatype, text: string) =>
  `{"inputs":[${types
    .map((each) => {
      const other = zero[each] ?? '0';
      return `{"name":"in_${each}","shape":[1,2],"datatype":"${each}","data":[${each === type ? text : other},${other}]}`;
    })
    .join(',')}],"outputs":[{"name":"out_${type}"}]}`;

describe('S18: numbers at the edge', () => {
  test.each<[Datatype, string, string | 400]>([
    ['FP32', '3.4028234663852886e38', '3.4028235e'],
    ['FP32', '1e39', 400],
    ['FP32', '1e999', 400],
    ['FP32', 'NaN', 400],
    ['FP32', 'null', 400],
    ['FP32', '-0', '0'],
    ['FP32', '1e-50', '0'],
    ['FP64', '1e999', 400],
    ['FP64', '1.7976931348623157e308', '1.7976931348623157e'],
    ['INT64', '9223372036854775807', '9223372036854775807'],
    ['INT64', '-9223372036854775808', '-9223372036854775808'],
    ['INT64', '9223372036854775808', 400],
    ['INT64', '9007199254740993', '9007199254740993'],
    ['INT64', '1.5', 400],
    ['INT8', '128', 400],
    ['INT8', '-128', '-128'],
    ['UINT8', '-1', 400],
    ['UINT8', '256', 400],
    ['UINT64', '18446744073709551615', '18446744073709551615'],
    ['UINT64', '18446744073709551616', 400],
    ['BOOL', '2', 400],
    ['BYTES', '1', 400],
  ])('%s %s', async (type, text, want) => {
    const response = await fetch(`${pod.url}/v2/models/m/infer`, {
      method: 'POST',
      body: withElement(type, text),
    });
    const answer = await response.text();
    if (want === 400) {
      expect(response.status).toBe(400);
      expect(JSON.parse(answer)).toEqual({ error: expect.any(String) });
    } else {
      expect(response.status).toBe(200);
      expect(answer).toContain(`[${want}`.replace(/^\[0$/, '['));
    }
  });
});

test('S17: no key of a request becomes a property of everything', async () => {
  const evil =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"prototype":{"polluted":1}}';
  const bodies = [
    evil,
    `{"__proto__":{"polluted":1},${withElement('FP32', '1').slice(1)}`,
    withElement('FP32', '1').replace('{"inputs"', `{"parameters":${evil},"inputs"`),
    withElement('FP32', '1').replace('"name":"in_FP32"', `"name":"in_FP32","parameters":${evil}`),
    withElement('FP32', evil),
    withElement('FP32', '1').replaceAll('in_FP32', '__proto__'),
    withElement('FP32', '1').replace('out_FP32', 'constructor'),
  ];
  for (const body of bodies) {
    const { status } = await pod.infer(body);
    expect([200, 400]).toContain(status);
  }
  pod.directory.writeLiveConfig({ digests: JSON.parse('{"__proto__":"x"}') as Record<string, string> });
  expect((await pod.infer(withElement('FP32', '1'))).status).toBe(200);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('S19: names with control characters come back escaped, in one line, and in no header', async () => {
  const name = 'x\\r\\nset-cookie: a=b\\u001b[31m\\u2028';
  const response = await fetch(`${pod.url}/v2/models/m/infer`, {
    method: 'POST',
    body: withElement('FP32', '1').replace('in_FP32', name),
    headers: { 'x-request-id': 'a b', traceparent: '00-not-a-trace' },
  });
  const text = await response.text();
  expect(response.status).toBe(400);
  expect(response.headers.get('set-cookie')).toBeNull();
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(text).not.toMatch(/[\u0000-\u001f\u007f]/);
  expect(JSON.parse(text)).toEqual({ error: expect.any(String) });
});
