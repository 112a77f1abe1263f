/**
 * A reverse proxy as anybody writes it with Node alone: `http.request` over a kept-alive agent, headers passed on, both
 * bodies piped. No queue, no deadline, no metrics. With several pods it can choose one at random, in turn, or the one with
 * the fewest requests in hand.
 */
import { Agent, createServer, request } from 'node:http';

const [, , port, podPorts = '', policy = 'turn'] = process.argv;
const pods = podPorts.split(',').map((text) => ({ port: Number(text), inHand: 0 }));
const agent = new Agent({ keepAlive: true, maxSockets: 4096 });
let turn = 0;

const choose = () => {
  turn = (turn + 1) % pods.length;
  if (policy === 'random') return pods[Math.floor(Math.random() * pods.length)];
  if (policy === 'turn') return pods[turn];
  // Beginning with each in turn, so that equals share.
  let best = pods[turn];
  for (let step = 1; step < pods.length; step += 1) {
    const pod = pods[(turn + step) % pods.length];
    if (pod !== undefined && best !== undefined && pod.inHand < best.inHand) best = pod;
  }
  return best;
};

createServer((incoming, response) => {
  const pod = choose();
  if (pod === undefined) return;
  pod.inHand += 1;
  response.once('close', () => {
    pod.inHand -= 1;
  });
  const { connection: _connection, ...headers } = incoming.headers;
  const outgoing = request(
    { host: '127.0.0.1', port: pod.port, method: incoming.method, path: incoming.url, headers, agent },
    (answer) => {
      const { connection: _c, 'keep-alive': _k, ...passed } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, passed);
      answer.pipe(response);
    },
  );
  outgoing.on('error', () => response.writeHead(502).end());
  incoming.pipe(outgoing);
}).listen(Number(port), '127.0.0.1');
