/** The limit of any hop in Node: bytes from one connection to another, nothing read of them. */
import { connect, createServer } from 'node:net';

const [, , port, podPort] = process.argv;

createServer({ noDelay: true }, (client) => {
  const pod = connect({ host: '127.0.0.1', port: Number(podPort), noDelay: true });
  client.pipe(pod).pipe(client);
  client.on('error', () => pod.destroy());
  pod.on('error', () => client.destroy());
}).listen(Number(port), '127.0.0.1');
