/** Unary RPCs one after the other on many streams of a few connections. A process of its own; prints its figures as JSON. */
import { type ClientHttp2Session, connect } from 'node:http2';

export interface GrpcLoadFigures {
  readonly sent: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
}

const [, , port, streams = '32', connections = '4', forSeconds = '2', bytes = '100'] = process.argv;
const body = Buffer.concat([Buffer.alloc(5), Buffer.alloc(Number(bytes), 'x')]);
body.writeUInt32BE(Number(bytes), 1);

const call = (session: ClientHttp2Session) =>
  new Promise<boolean>((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status: unknown;
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(status === '0'));
    stream.resume();
    stream.end(body);
  });

const sessions = Array.from({ length: Number(connections) }, () => connect(`http://127.0.0.1:${port}`));
const startMs = performance.now();
const endMs = startMs + Number(forSeconds) * 1000;
const latencies: number[] = [];
let failed = 0;
await Promise.all(
  Array.from({ length: Number(streams) }, async (_, i) => {
    const session = sessions[i % sessions.length] as ClientHttp2Session;
    while (performance.now() < endMs) {
      const fromMs = performance.now();
      if (!(await call(session))) failed += 1;
      latencies.push(performance.now() - fromMs);
    }
  }),
);
const seconds = (performance.now() - startMs) / 1000;
for (const session of sessions) session.destroy();
latencies.sort((a, b) => a - b);
const figures: GrpcLoadFigures = {
  sent: latencies.length,
  failed,
  seconds,
  p50Ms: latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
};
console.log(JSON.stringify(figures));
