/** A pod's gRPC port with a constant answer, over bare HTTP/2. */
import { createServer } from 'node:http2';

const answer = Buffer.concat([Buffer.from([0, 0, 0, 0, 20]), Buffer.alloc(20, 'x')]);

const server = createServer({ settings: { maxConcurrentStreams: 1_000 } });
server.on('stream', (stream) => {
  stream.on('error', () => undefined);
  stream.resume();
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(answer);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1');
