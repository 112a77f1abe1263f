/** A gRPC proxy as anybody writes it with Node alone: one HTTP/2 connection to the pod, headers, bodies and trailers passed on. */
import { connect, createServer, type OutgoingHttpHeaders } from 'node:http2';

const [, , port, podPort] = process.argv;
const pod = connect(`http://127.0.0.1:${podPort}`);

createServer()
  .on('stream', (stream, headers) => {
    const up = pod.request(headers);
    let trailers: OutgoingHttpHeaders = {};
    up.on('response', (answer) => stream.respond(answer, { waitForTrailers: true }));
    up.on('trailers', (last) => {
      trailers = last;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('error', () => up.close());
    up.on('error', () => stream.close());
    stream.pipe(up);
    up.pipe(stream);
  })
  .listen(Number(port), '127.0.0.1');
