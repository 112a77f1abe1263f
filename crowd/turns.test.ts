import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { endInTurn } from './end-in-turn.ts';
import { Turns } from './turns.ts';

/** Runs tasks and notes, turn by turn, which of them ran. */
const ranByTurn = async (tasks: number): Promise<number[][]> => {
  const turns = new Turns(() => 0);
  const ran: number[][] = [[]];
  for (let i = 0; i < tasks; i += 1) turns.run(() => void ran.at(-1)?.push(i));
  while (ran.flat().length < tasks) {
    ran.push([]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ran;
};

test('a few tasks run at once', async () => {
  expect(await ranByTurn(32)).toEqual([Array.from({ length: 32 }, (_, i) => i)]);
});

test('every task runs once and in order, never more than 32 in a turn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 300 }), async (tasks) => {
      const ran = await ranByTurn(tasks);
      expect(ran.flat()).toEqual(Array.from({ length: tasks }, (_, i) => i));
      for (const turn of ran) expect(turn.length).toBeLessThanOrEqual(32);
    }),
  );
});

test('no task begins once those of this turn took 4 ms', async () => {
  let nowMs = 0;
  const turns = new Turns(() => nowMs);
  const began: number[] = [];
  for (let i = 0; i < 8; i += 1)
    turns.run(() => {
      began.push(i);
      nowMs += 1.5;
    });
  expect(began).toEqual([0, 1, 2]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(began).toEqual([0, 1, 2, 3, 4, 5]);
});

test('a crowd of one model keeps no other waiting', async () => {
  const [crowd, other] = [new Turns(() => 0), new Turns(() => 0)];
  let ran = 0;
  for (let i = 0; i < 1_000; i += 1)
    crowd.run(() => {
      ran += 1;
    });
  let ranBeforeOther = -1;
  other.run(() => {
    ranBeforeOther = ran;
  });
  expect(ranBeforeOther).toBe(32);
});

test('a task that adds tasks does not keep the turn', async () => {
  const turns = new Turns(() => 0);
  let depth = 0;
  const deeper = () => {
    depth += 1;
    if (depth < 1_000) turns.run(deeper);
  };
  turns.run(deeper);
  expect(depth).toBe(32);
  while (depth < 1_000) await new Promise((resolve) => setImmediate(resolve));
  expect(depth).toBe(1_000);
});

test('of a hundred connections that end together 32 hear of it in a turn, and none that is gone by then', async () => {
  const turns = new Turns(() => 0);
  const ended: number[] = [];
  const sockets = Array.from({ length: 100 }, (_, i) => {
    const socket = Object.assign(new EventEmitter(), { destroyed: false });
    socket.on('end', () => ended.push(i));
    endInTurn(socket as unknown as Socket, turns);
    return socket;
  });
  for (const socket of sockets) socket.emit('end');
  expect(ended).toHaveLength(32);
  for (const socket of sockets.slice(90)) socket.destroyed = true;
  while (turns.isBusy) await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toEqual(Array.from({ length: 90 }, (_, i) => i));
});

test('what a task leaves to be done behind it counts as tasks of its turn', async () => {
  const turns = new Turns(() => 0);
  const began: number[] = [];
  for (let i = 0; i < 4; i += 1)
    turns.run(() => {
      began.push(i);
      turns.spend(20);
    });
  expect(began).toEqual([0, 1]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(began).toEqual([0, 1, 2, 3]);
});
