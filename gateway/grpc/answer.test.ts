/** The answer of one RPC: kept while it is small and not whole, and what becomes of it where it never is. */
import { describe, expect, test } from '@jest/globals';
import { endsAfterEach } from '../../test/ends.ts';
import { call, data, good, head, question, sessionsIn } from '../testing/grpc-call.ts';
import { startRawGrpcPod } from '../testing/raw-grpc-pod.ts';
import { startRig, until } from '../testing/rig.ts';
import { framed, type StubGrpcPod, startStubGrpcPod } from '../testing/stub-grpc-pod.ts';

const { ends, closing } = endsAfterEach();
const rigOf = closing(startRig);
const wellPod = closing(startStubGrpcPod);
const rawPod = closing(startRawGrpcPod);
const sessionTo = sessionsIn(ends);

describe('the answer to one question', () => {
  test('waits for its trailers while it is small, and comes whole', async () => {
    let stream: StubGrpcPod['got'][number]['stream'] | undefined;
    const pod = await wellPod((rpc) => {
      stream = rpc.stream;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream?.sendTrailers({ 'grpc-status': '0' }));
      stream.write(framed('fine').subarray(0, 3));
    });
    const rig = await rigOf({ a: [pod.address] });
    const end = call(sessionTo(rig.port.port));
    await until('it is kept', () => rig.gate.keptAnswers === 1);
    // Its slot is free again: the pod answers.
    expect(rig.gate.recorder.inFlight).toBe(0);
    stream?.end(framed('fine').subarray(3));
    expect(await end).toMatchObject({ status: '0', body: framed('fine').toString('latin1') });
    expect(rig.gate.keptAnswers).toBe(0);
  });

  test('goes on as it comes where it is large', async () => {
    let stream: StubGrpcPod['got'][number]['stream'] | undefined;
    const text = 'x'.repeat(3_000);
    const pod = await wellPod((rpc) => {
      stream = rpc.stream;
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream?.sendTrailers({ 'grpc-status': '0' }));
      stream.write(text);
    });
    const rig = await rigOf({ a: [pod.address] });
    const session = sessionTo(rig.port.port);
    const asked = session.request(question);
    let got = 0;
    asked.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    asked.end(framed('q'));
    await until('the first piece is kept', () => rig.gate.keptAnswers === 1);
    expect(got).toBe(0);
    stream?.write(text);
    await until('both are there', () => got === 6_000);
    expect(rig.gate.keptAnswers).toBe(0);
    const closed = new Promise((resolve) => asked.once('close', resolve));
    stream?.end();
    await closed;
    expect(asked.rstCode).toBe(0);
  });

  test('that does not end in time is DEADLINE_EXCEEDED, and its pod hears of it', async () => {
    const pod = await wellPod(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.write(framed('fine'));
    });
    const rig = await rigOf({ a: [pod.address] }, { timeoutMs: 200 });
    expect(await call(sessionTo(rig.port.port))).toMatchObject({ status: '4', body: '' });
    await until('the pod hears of it', () => pod.got[0]?.stream.destroyed === true);
    await until('counted', () => rig.gate.recorder.counters.rejected === 1);
    expect(rig.gate.open).toBe(0);
  });

  test('that its client no longer waits for keeps no place', async () => {
    const pod = await rawPod(
      (socket, id) => void socket.write(Buffer.concat([head(id, 0, ...good), data(id)])),
    );
    const rig = await rigOf({ a: [pod.address] });
    const session = sessionTo(rig.port.port);
    const asked = session.request(question);
    asked.on('error', () => undefined);
    asked.end(framed('q'));
    await until('it is kept', () => rig.gate.keptAnswers === 1);
    asked.close(8);
    await until('it is let go', () => rig.gate.keptAnswers === 0 && rig.gate.open === 0);
  });
});
