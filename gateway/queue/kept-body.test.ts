import { expect, test } from '@jest/globals';
import { KeptBody } from './kept-body.ts';

test('gives back what came, in whatever pieces', () => {
  const body = new KeptBody();
  const text = Array.from({ length: 3_000 }, (_, i) => `${i}`.padStart(17, '.'));
  for (const [i, piece] of text.entries()) {
    expect(body.add(Buffer.from(piece))).toBe(true);
    if (i % 700 === 0) body.add(Buffer.alloc(2_000, 'x'));
  }
  const size = body.size;
  const whole = body.take();
  expect(whole).toHaveLength(size);
  expect(whole.toString().replaceAll('x', '')).toBe(text.join(''));
  expect(body.size).toBe(0);
  expect(new KeptBody().take()).toHaveLength(0);
});

test('a body in crumbs is told from a body in small pieces', () => {
  const crumbs = new KeptBody();
  let kept = 0;
  while (crumbs.add(Buffer.from('x'))) kept += 1;
  expect(kept).toBe(8_192);
  // A large beginning pays for small pieces later on.
  const large = new KeptBody();
  large.saw(Buffer.alloc(1_000_000));
  let passed = 0;
  while (large.saw(Buffer.from('x'))) passed += 1;
  expect(passed).toBeGreaterThan(60_000);
});
