import { describe, expect, test } from '@jest/globals';
import { compileJsonPath } from './jsonpath.ts';

const object = {
  metadata: { annotations: { 'a.b/c': 'dotted' } },
  list: [
    { name: 'x', size: 1 },
    { name: 'y', size: 2 },
  ],
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
};

describe('JSONPath of printer columns', () => {
  test.each<[string, unknown[]]>([
    ['.list[0].name', ['x']],
    ['.list[-1].name', ['y']],
    ['.list[*].name', ['x', 'y']],
    ['.list[1:].name', ['y']],
    ['{.list[0].name}', ['x']],
    ["$.list[0]['name']", ['x']],
    ['.metadata.annotations.a\\.b/c', ['dotted']],
    ["['metadata'].annotations['a.b/c']", ['dotted']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type=='Nope')].status", []],
    ['.list[?(@.size>1)].name', ['y']],
    ['.list[?(@.name)].size', [1, 2]],
    ['.nothing.at.all', []],
    ['.list[7]', []],
    ['.constructor', []],
  ])('%s', (path, wanted) => {
    expect(compileJsonPath(path)(object)).toEqual(wanted);
  });

  test.each(['.a[', '.a[b]', '.a[?(1)'])('%s is refused', (path) => {
    expect(() => compileJsonPath(path)).toThrow();
  });
});
