import { expect, test } from '@jest/globals';
import { withBoundGlobals } from './jest-transform.ts';

test.each([
  ['a global that is called', 'export const x = Math.max(1, 2);', 'Math'],
  ['one that is made', 'const seen = new Map<string, number>();', 'Map'],
  ['several', 'const s = new Set(Object.keys(x)); Number(y);', 'Number, Object, Set'],
])('%s is bound once, on the line that was the first', (_name, source, names) => {
  expect(withBoundGlobals(source)).toBe(`const { ${names} } = globalThis; ${source}`);
});

test.each([
  ['has its own', 'export class Map {}\nnew Map();'],
  ['imports one', "import {\n  Set,\n} from './set.ts';\nnew Set();"],
  ['names a method so', 'this.Math.max(1); x$Number(2);'],
  ['names a type alone', 'let seen: Map<string, number>;'],
  ['uses what a test may replace', 'Date.now(); fetch(url); setTimeout(f); performance.now();'],
  ['begins with an interpreter', '#!/usr/bin/env node\nMath.max(1);'],
])('a module that %s is left as it is', (_name, source) => {
  expect(withBoundGlobals(source)).toBe(source);
});
