import { expect, test } from '@jest/globals';
import { wholeNumber } from '../../bench/pod/options.ts';

test('a whole number over 0 is taken', () => {
  expect(wholeNumber('seconds', '3')).toBe(3);
});

test.each(['2.5', '0', '-1', '', ' ', '1e1', 'three', '99999999999999999999'])(
  "'%s' is refused by the option's name, before wrk would end on it",
  (text) => {
    expect(() => wholeNumber('seconds', text)).toThrow(
      `--seconds is '${text}', it must be a whole number over 0`,
    );
  },
);
