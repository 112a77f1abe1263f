/** Turns what is right into what is nearly right. */
import type { Random } from '../../kube/differential/chance.ts';

const tokens = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  'null',
  'true',
  'NaN',
  '-Infinity',
  '1e999',
  '-0',
  '1e-400',
  '18446744073709551616',
  '9007199254740993',
  '0x10',
  '__proto__',
  'constructor',
  'inputs',
  'shape',
  'data',
  '\0',
  '\ufeff',
  '\r\n',
].map((text) => Buffer.from(text));

/** Changes bytes: flips, cuts, copies, words of the language. */
export const mutateBytes = (random: Random, original: Uint8Array, most = 6): Buffer => {
  let bytes = Buffer.from(original);
  const times = 1 + random.below(most);
  for (let i = 0; i < times; i += 1) {
    const at = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, at + 1 + random.below(random.chance(0.8) ? 8 : 400));
    const [before, middle, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
    switch (random.below(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.below(256);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        bytes = Buffer.concat([before, after]);
        break;
      case 3:
        bytes = Buffer.concat([before, middle, middle, after]);
        break;
      case 4:
        bytes = Buffer.concat([before, random.pick(tokens), after]);
        break;
      case 5:
        if (random.chance(0.3)) bytes = Buffer.from(before);
        break;
      default:
        if (at + 4 <= bytes.length)
          bytes.writeInt32LE(random.pick([-1, 0, 1, 2 ** 31 - 1, -(2 ** 31), 256]), at);
    }
  }
  return bytes;
};

const oddities: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 1.5,
  () => 1e300,
  () => 2 ** 53,
  () => '',
  () => 'x',
  () => '\u0000',
  () => '\ud800',
  () => 'a'.repeat(5000),
  () => [],
  () => {},
  () => [[]],
  () => [[1, 2], [3]],
  () => [null],
  () => Array(2000).fill(7),
  () => ({ a: { b: [1] } }),
  () =>
    JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown,
  () => [2 ** 32, 2 ** 32],
  () => ['FP32'],
];

/** Replaces, removes or doubles some parts of a JSON value. */
export const mutateValue = (random: Random, value: unknown): unknown => {
  const copy = JSON.parse(JSON.stringify(value)) as unknown;
  const places: [Record<string, unknown>, string][] = [];
  const collect = (part: unknown) => {
    if (typeof part !== 'object' || part === null) return;
    for (const key of Object.keys(part)) {
      places.push([part as Record<string, unknown>, key]);
      collect((part as Record<string, unknown>)[key]);
    }
  };
  collect(copy);
  const times = 1 + random.below(3);
  for (let i = 0; i < times && places.length > 0; i += 1) {
    const [parent, key] = random.pick(places);
    const chosen = random.below(4);
    if (chosen === 0 && !Array.isArray(parent)) delete parent[key];
    else if (chosen === 1 && Array.isArray(parent)) parent.push(parent[0]);
    else if (chosen === 2) {
      const [, other] = random.pick(places);
      const [from] = random.pick(places);
      parent[key] = JSON.parse(JSON.stringify(from[other] ?? null)) as unknown;
    } else parent[key] = random.pick(oddities)();
  }
  return copy;
};
