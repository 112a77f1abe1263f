import { describe, expect, test } from '@jest/globals';
import { parseLabelSelector } from './selectors.ts';
import { StatusError } from './status-error.ts';

const object = { metadata: { labels: { app: 'a', tier: 'web', version: '3' } } };

describe('label selectors', () => {
  test.each([
    ['app=a', true],
    ['app==a,tier=web', true],
    ['app!=a', false],
    ['nothing!=a', true],
    ['app in (a, b)', true],
    ['app notin (a,b)', false],
    ['nothing notin (a)', true],
    ['app', true],
    ['!app', false],
    ['!nothing', true],
    ['version>2', true],
    ['version<3', false],
    ['nothing>1', false],
    ['example.com/x in (), !nothing', false],
  ])('%s', (text, wanted) => {
    expect(parseLabelSelector(text)?.(object)).toBe(wanted);
  });

  test.each([
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['=b', "unable to parse requirement: found '=', expected: identifier"],
    ['a,,b', "found ',', expected: identifier after ','"],
  ])('%s is refused', (text, words) => {
    expect(() => parseLabelSelector(text)).toThrow(new StatusError({ message: words }));
  });

  test('an empty one selects everything', () => {
    expect(parseLabelSelector('')).toBeUndefined();
  });
});
