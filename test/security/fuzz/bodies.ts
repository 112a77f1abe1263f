/** Sends requests that are nearly right to a pod process, and watches what must always hold. */
import { request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { chance } from '../../kube/differential/chance.ts';
import { type Ground, startGround } from '../ground.ts';
import { type FuzzedRequest, fuzzedModel, fuzzedRequest } from './requests.ts';

export interface FuzzResult {
  readonly requests: number;
  /** Answers by status; gRPC's as `grpc N`. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly peakMb: number;
  /** What did not hold, each with the number of its request. */
  readonly problems: readonly string[];
}

const atOnce = 8;
const honestEvery = 40;
const peakBoundMb = 400;
/** gRPC statuses of a server's fault: UNKNOWN, INTERNAL, DATA_LOSS. */
const grpcFaults = new Set(['2', '13', '15']);
/** 501 says that load and unload do not exist here. */
const isFault = (status: number) => status >= 500 && status !== 501;

const sendRest = (
  port: number,
  { path, method, headers, body }: FuzzedRequest,
): Promise<{ status: number; text: string }> =>
  new Promise((resolve) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        if (text.length < 2000) text += chunk.toString('latin1');
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', () => resolve({ status: 0, text }));
    });
    sent.on('error', (error) => resolve({ status: 0, text: error.message }));
    sent.end(method === 'GET' || method === 'HEAD' ? undefined : body);
  });

const sendGrpc = (
  session: ClientHttp2Session,
  { path, body }: FuzzedRequest,
): Promise<{ status: string; text: string }> =>
  new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/inference.GRPCInferenceService/${path}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = 'none';
    let text = '';
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) {
        status = String(headers['grpc-status']);
        text = String(headers['grpc-message'] ?? '');
      }
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ status, text }));
    stream.resume();
    stream.setTimeout(15_000, () => stream.close());
    stream.end(body);
  });

const honest = JSON.stringify({
  inputs: ['FP32', 'INT64', 'BYTES', 'BOOL', 'UINT8', 'FP64', 'INT32'].map((datatype) => ({
    name: `in_${datatype}`,
    datatype,
    shape: [1, 2],
    data: datatype === 'BYTES' ? ['a', 'b'] : datatype === 'BOOL' ? [true, false] : [1, 2],
  })),
  outputs: [{ name: 'out_INT64' }],
});

/** Fuzzes for so long; the seed makes the same requests again. */
export const fuzzBodies = async (seed: number, forMs: number, ground?: Ground): Promise<FuzzResult> => {
  const served = ground ?? (await startGround(fuzzedModel()));
  const { grpc } = await served.pod.ports();
  const random = chance(seed);
  const statuses: Record<string, number> = {};
  const problems: string[] = [];
  let requests = 0;
  let session = connect(`http://127.0.0.1:${grpc}`);
  session.on('error', () => undefined);
  const count = (status: string) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const one = async (request: FuzzedRequest, number: number) => {
    const shown = () =>
      `${request.path} ${JSON.stringify(request.headers)} ${request.body.subarray(0, 3000).toString('base64')}`;
    if (request.kind === 'rest') {
      const { status, text } = await sendRest(served.http, request);
      count(String(status));
      if (isFault(status)) problems.push(`request ${number}: ${status} ${text.slice(0, 300)}: ${shown()}`);
      return;
    }
    if (session.closed || session.destroyed) {
      session = connect(`http://127.0.0.1:${grpc}`);
      session.on('error', () => undefined);
    }
    const { status, text } = await sendGrpc(session, request);
    count(`grpc ${status}`);
    if (grpcFaults.has(status)) problems.push(`request ${number}: grpc ${status} ${text}: ${shown()}`);
  };
  const check = async () => {
    const { status, text } = await served.post(honest);
    if (status !== 200 || !text.includes('"data":[1,2]'))
      problems.push(`an honest request after ${requests}: ${status} ${text.slice(0, 300)}`);
    const live = await fetch(`http://127.0.0.1:${served.ops}/livez`).catch(() => undefined);
    if (live?.status !== 200)
      problems.push(`/livez after ${requests} requests: ${live?.status ?? 'no answer'}`);
  };
  const until = performance.now() + forMs;
  let peakMb = 0;
  while (performance.now() < until && problems.length < 5) {
    await Promise.all(
      Array.from({ length: atOnce }, () => {
        requests += 1;
        return one(fuzzedRequest(random), requests);
      }),
    );
    if (requests % honestEvery === 0) await check();
    peakMb = Math.max(peakMb, served.peakMb());
  }
  await check();
  if (peakMb > peakBoundMb) problems.push(`the pod took ${Math.round(peakMb)} MB`);
  if (/"level":"error"/.test(served.pod.log()))
    problems.push(
      `the log tells of errors: ${/.*"level":"error".*/.exec(served.pod.log())?.[0].slice(0, 500)}`,
    );
  session.destroy();
  if (ground === undefined) await served.close();
  return { requests, statuses, peakMb, problems };
};
