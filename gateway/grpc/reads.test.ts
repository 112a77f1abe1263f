import { createServer, type Http2Session } from 'node:http2';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { endsAfterEach } from '../../test/ends.ts';
import { question, sessionsIn } from '../testing/grpc-call.ts';
import { until } from '../testing/rig.ts';
import { Reads } from './reads.ts';

const { ends } = endsAfterEach();
const sessionTo = sessionsIn(ends);

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Turns whose tasks run when the test says so. */
const heldTurns = () => {
  const tasks: (() => void)[] = [];
  return { tasks, run: (task: () => void) => void tasks.push(task) };
};

/** A connection as far as reads know one; `did` notes what was done with it. */
const connection = (name: string, did: string[], writeQueueSize = 0) => {
  let onClose = () => {};
  const socket = {
    destroyed: false,
    _handle: {
      readStop: () => did.push(`stop ${name}`),
      readStart: () => did.push(`start ${name}`),
      writeQueueSize,
    },
    once: (_: string, then: () => void) => {
      onClose = then;
    },
    close: () => {
      socket.destroyed = true;
      onClose();
    },
  };
  return socket as typeof socket & Socket;
};

test('up to 63 RPCs of a turn stop nobody', async () => {
  const did: string[] = [];
  const turns = heldTurns();
  const reads = new Reads(turns);
  const one = connection('one', did);
  reads.add(one);
  for (let times = 0; times < 3; times += 1) {
    for (let i = 0; i < 63; i += 1) reads.began(one);
    await turn();
  }
  expect(did).toEqual([]);
  expect(turns.tasks).toEqual([]);
});

test('the 64th stops all, and those that began nothing are read first when their turn comes', async () => {
  const did: string[] = [];
  const turns = heldTurns();
  const reads = new Reads(turns);
  const [one, two, three] = ['one', 'two', 'three'].map((name) => connection(name, did));
  if (!one || !two || !three) throw new Error('three');
  for (const socket of [one, two, three]) reads.add(socket);
  for (let i = 0; i < 500; i += 1) reads.began(one);
  expect(did.splice(0)).toEqual(['stop two', 'stop three', 'stop one']);
  expect(turns.tasks).toEqual([]);
  await turn();
  expect(did).toEqual([]);
  for (const task of turns.tasks.splice(0)) task();
  expect(did.splice(0)).toEqual(['start two', 'start three', 'start one']);
  for (let i = 0; i < 64; i += 1) reads.began(two);
  expect(did).toEqual(['stop three', 'stop one', 'stop two']);
});

test('a connection that closed meanwhile is left alone; one whose client does not read is left to Node', async () => {
  const did: string[] = [];
  const turns = heldTurns();
  const reads = new Reads(turns);
  const [gone, left, full] = [connection('gone', did), connection('left', did), connection('full', did, 100)];
  for (const socket of [gone, left, full]) reads.add(socket);
  left.close();
  for (let i = 0; i < 64; i += 1) reads.began(gone);
  expect(did.splice(0)).toEqual(['stop full', 'stop gone']);
  await turn();
  gone.close();
  for (const task of turns.tasks.splice(0)) task();
  expect(did).toEqual([]);
  for (let i = 0; i < 64; i += 1) reads.began(full);
  expect(did).toEqual(['stop full']);
});

test('what a stopped connection sends stays with the system until its turn comes', async () => {
  const turns = heldTurns();
  const reads = new Reads(turns);
  const sockets = new WeakMap<Http2Session, Socket>();
  const begun = new Map<Socket, number>();
  let adding: Socket | undefined;
  const http2 = createServer();
  http2.on('session', (session) => {
    session.on('error', () => undefined);
    if (adding !== undefined) sockets.set(session, adding);
  });
  http2.on('stream', (stream) => {
    const socket = stream.session && sockets.get(stream.session);
    stream.on('error', () => undefined);
    if (socket === undefined) return;
    begun.set(socket, (begun.get(socket) ?? 0) + 1);
    reads.began(socket);
  });
  const net = createNetServer((socket) => {
    ends.push(() => socket.destroy());
    begun.set(socket, 0);
    reads.add(socket);
    adding = socket;
    http2.emit('connection', socket);
  });
  ends.push(() => net.close());
  await new Promise<void>((resolve) => net.listen(0, '127.0.0.1', resolve));
  const { port } = net.address() as AddressInfo;
  const clients = [sessionTo(port), sessionTo(port)];
  const asks = (client = 0, times = 1) => {
    for (let i = 0; i < times; i += 1) clients[client]?.request(question).on('error', () => undefined);
  };
  const counts = () => [...begun.values()].sort((a, b) => a - b);
  asks(0);
  asks(1);
  await until('both have asked', () => counts().join() === '1,1');
  await turn();
  asks(0, 64);
  await until('all are stopped', () => turns.tasks.length === 2);
  asks(1);
  // It has left the client: its socket has written all of it.
  await until('it is sent', () => clients[1]?.socket.bytesWritten !== undefined && isSent(clients[1]));
  for (let i = 0; i < 10; i += 1) await turn();
  expect(counts()).toEqual([1, 65]);
  for (const task of turns.tasks.splice(0)) task();
  await until('it is read', () => counts().join() === '2,65');
});

const isSent = ({ state }: Http2Session) => state.outboundQueueSize === 0;
