import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { CrumbsOfTurn, watchCrumbs } from './crumb-watch.ts';

/** A body, with what is handed on of it and how it is refused. */
const watched = (ofTurn: CrumbsOfTurn) => {
  const request = Object.assign(new Readable({ read: () => undefined }), { socket: {} });
  const handedOn: number[] = [];
  request.on('data', (chunk: Buffer) => handedOn.push(chunk.length));
  const watch = watchCrumbs(request as unknown as IncomingMessage, ofTurn);
  const statuses: number[] = [];
  watch.onCrumbs(({ status }) => statuses.push(status));
  const push = (times: number, bytes = 1) => {
    for (let i = 0; i < times; i += 1) request.push(Buffer.alloc(bytes));
  };
  return { push, handedOn, statuses };
};
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('the pieces of a turn are handed on as one', async () => {
  const { push, handedOn } = watched(new CrumbsOfTurn());
  push(100);
  // Node runs what is due in the next tick behind each piece that its parser tells of.
  await Promise.resolve();
  push(100);
  await nextTurn();
  push(3, 1_000);
  await nextTurn();
  expect(handedOn).toEqual([200, 3_000]);
});

test('8,192 pieces of a few bytes are taken and the next is 400', () => {
  const { push, statuses } = watched(new CrumbsOfTurn());
  push(8_192);
  expect(statuses).toEqual([]);
  push(1);
  expect(statuses).toEqual([400]);
});

test('bodies in crumbs share a turn, and the next turn has room again', async () => {
  const ofTurn = new CrumbsOfTurn();
  const [one, other, later] = [watched(ofTurn), watched(ofTurn), watched(ofTurn)];
  one.push(8_192);
  other.push(1_000);
  expect([one.statuses, other.statuses]).toEqual([[], [429]]);
  await nextTurn();
  later.push(8_192);
  expect(later.statuses).toEqual([]);
});

test('bodies in ordinary pieces, or in few, are taken while others come in crumbs', () => {
  const ofTurn = new CrumbsOfTurn();
  const [one, other, large, short] = [watched(ofTurn), watched(ofTurn), watched(ofTurn), watched(ofTurn)];
  one.push(8_192);
  other.push(8_192);
  large.push(2_000, 16);
  short.push(256);
  expect([other.statuses, large.statuses, short.statuses]).toEqual([[429], [], []]);
});
