import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { CrumbAllowance, type CrumbsWhy, watchCrumbs } from './crumb-watch.ts';

/** A body, with what is handed on of it and how it is refused. */
const watched = (allowance: CrumbAllowance) => {
  const request = Object.assign(new Readable({ read: () => undefined }), { socket: {} });
  const handedOn: number[] = [];
  request.on('data', (chunk: Buffer) => handedOn.push(chunk.length));
  const watch = watchCrumbs(request as unknown as IncomingMessage, allowance);
  const refused: CrumbsWhy[] = [];
  watch.onCrumbs((why) => refused.push(why));
  const push = (times: number, bytes = 1) => {
    for (let i = 0; i < times; i += 1) request.push(Buffer.alloc(bytes));
  };
  return { push, handedOn, refused };
};
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('the pieces of a turn are handed on as one', async () => {
  const { push, handedOn } = watched(new CrumbAllowance());
  push(100);
  // Node runs what is due in the next tick behind each piece that its parser tells of.
  await Promise.resolve();
  push(100);
  await nextTurn();
  push(3, 1_000);
  await nextTurn();
  expect(handedOn).toEqual([200, 3_000]);
});

test('8,192 pieces of a few bytes are taken and the next is one too many', () => {
  const { push, refused } = watched(new CrumbAllowance(() => 0));
  push(8_192);
  expect(refused).toEqual([]);
  push(1);
  expect(refused).toEqual(['crumbs']);
});

test('bodies in crumbs share an allowance, which is whole again a tenth of a second later', () => {
  let nowMs = 5_000;
  const allowance = new CrumbAllowance(() => nowMs);
  const [one, other, still, later] = [
    watched(allowance),
    watched(allowance),
    watched(allowance),
    watched(allowance),
  ];
  one.push(8_192);
  other.push(1_000);
  expect([one.refused, other.refused]).toEqual([[], ['crowd']]);
  nowMs += 99;
  still.push(1_000);
  expect(still.refused).toEqual(['crowd']);
  nowMs += 1;
  later.push(8_192);
  expect(later.refused).toEqual([]);
});

test('bodies in ordinary pieces, or in few, are taken while others come in crumbs', () => {
  const allowance = new CrumbAllowance(() => 0);
  const [one, other, large, short] = [
    watched(allowance),
    watched(allowance),
    watched(allowance),
    watched(allowance),
  ];
  one.push(8_192);
  other.push(8_192);
  large.push(2_000, 16);
  short.push(256);
  expect([other.refused, large.refused, short.refused]).toEqual([['crowd'], [], []]);
});
