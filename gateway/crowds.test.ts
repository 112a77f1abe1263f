/** A thousand clients that come, speak or leave in the same moment: each turn of the event loop takes some of them. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { endsAfterEach } from '../test/ends.ts';
import { question } from './testing/grpc-call.ts';
import { endHeaders, frame, headerBlock, types } from './testing/raw-grpc-pod.ts';
import { inferPath, type Rig, startRig, until } from './testing/rig.ts';
import { startStubPod } from './testing/stub-pod.ts';

const { closing } = endsAfterEach();
const startPod = closing(startStubPod);
const start = closing(startRig);

const clients = 200;
/** What one turn does, and as much again that the clients, in the same process, see of the turn before. */
const mostAtOnce = 64;
const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);
/** RPCs none of whose messages comes. */
const rpcsOf = (count: number) =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      frame(
        types.headers,
        endHeaders,
        1 + 2 * i,
        headerBlock(
          [':method', 'POST'],
          [':scheme', 'http'],
          [':authority', 'x'],
          [':path', String(question[':path'])],
          ['content-type', 'application/grpc'],
        ),
      ),
    ),
  );
const begun = Buffer.from(`POST ${inferPath} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);

const crowdOf = async (rig: Rig): Promise<Socket[]> => {
  const sockets = Array.from({ length: clients }, () => connect(rig.port.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => undefined);
  await until(
    'all are there',
    () => rig.port.connections === clients && sockets.every(({ connecting }) => !connecting),
  );
  return sockets;
};

/** How many of them have heard anything yet. */
const greetedOf = (sockets: readonly Socket[]): (() => number) => {
  let greeted = 0;
  for (const socket of sockets)
    socket.once('data', () => {
      greeted += 1;
    });
  return () => greeted;
};

/** By how much a count changed in the turn in which it changed most, once it has come to the value. */
const mostInTurn = async (count: () => number, value: number): Promise<number> => {
  let most = 0;
  for (let last = count(); last !== value; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = count();
    most = Math.max(most, Math.abs(now - last));
    last = now;
  }
  return most;
};

test('clients that begin HTTP/2 at once get their sessions over several turns', async () => {
  const pod = await startPod();
  const rig = await start({ a: [pod.address] });
  const sockets = await crowdOf(rig);
  const greeted = greetedOf(sockets);
  for (const socket of sockets) socket.write(preface);
  expect(await mostInTurn(greeted, clients)).toBeLessThanOrEqual(mostAtOnce);
  for (const socket of sockets) socket.destroy();
});

test('clients whose first bytes hold many RPCs get their sessions one by one', async () => {
  const pod = await startPod();
  const rig = await start({ a: [pod.address] });
  const sockets = await crowdOf(rig);
  const greeted = greetedOf(sockets);
  const asks = Buffer.concat([preface, rpcsOf(16)]);
  for (const socket of sockets) socket.write(asks);
  // One, and one more that the clients see of the turn before.
  expect(await mostInTurn(greeted, clients)).toBeLessThanOrEqual(2);
  await until('all are there', () => rig.gate.open === clients * 16);
  for (const socket of sockets) socket.destroy();
  await until('nothing is left', () => rig.gate.open === 0);
});

test('of clients that ask much at once one or two are read in a turn', async () => {
  const pod = await startPod();
  const rig = await start({ a: [pod.address] });
  const sockets = (await crowdOf(rig)).slice(0, 8);
  const greeted = greetedOf(sockets);
  for (const socket of sockets) socket.write(preface);
  await until('all have their sessions', () => greeted() === 8);
  let created = 0;
  const onCreated = () => {
    created += 1;
  };
  const each = 300;
  const asks = rpcsOf(each);
  subscribe('http2.server.stream.created', onCreated);
  for (const socket of sockets) socket.write(asks);
  // What is begun before everybody is stopped, and the read in which that happens.
  expect(await mostInTurn(() => created, 8 * each)).toBeLessThanOrEqual(64 + each);
  unsubscribe('http2.server.stream.created', onCreated);
  await until('all are there', () => rig.gate.open === 8 * each);
  for (const socket of sockets) socket.destroy();
  await until('nothing is left', () => rig.gate.open === 0);
});

test.each([
  ['in the middle of a request', begun],
  ['over HTTP/2', preface],
  ['before they ask', Buffer.alloc(0)],
])('clients that leave at once %s are seen off over several turns', async (_name, text) => {
  const pod = await startPod();
  const rig = await start({ a: [pod.address] });
  const sockets = await crowdOf(rig);
  const greeted = greetedOf(sockets);
  if (text.length > 0) for (const socket of sockets) socket.write(text);
  if (text === begun) await until('all have begun', () => rig.gate.open === clients);
  if (text === preface) await until('all are served', () => greeted() === clients);
  for (const socket of sockets) socket.destroy();
  expect(await mostInTurn(() => rig.port.connections, 0)).toBeLessThanOrEqual(mostAtOnce);
  await until('nothing is left', () => rig.gate.open === 0);
});
