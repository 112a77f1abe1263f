import { describe, expect, test } from '@jest/globals';
import { duplicateKeys } from './duplicate-keys.ts';

describe('keys that stand twice', () => {
  test.each<[string, string[]]>([
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"data":{"a":"1","a":"2"}}', ['data.a']],
    ['{"list":[{"a":1},{"a":1,"b":{"c":1,"c":2}}]}', ['list[1].b.c']],
    ['{"a":{"b":1},"c":{"b":1}}', []],
    ['{"a":"b","b":"a,\\"a\\":"}', []],
    ['["a","a"]', []],
    ['{"\\u0061":1,"a":2}', ['a']],
  ])('%s', (text, wanted) => {
    expect(duplicateKeys(text)).toEqual(wanted);
  });
});
