/**
 * Pods with a known service time: each serves one request at a time, in order of arrival, and each takes a time drawn from
 * a gamma distribution with the given mean and squared coefficient of variation 0.25. They wait and do not compute, so that
 * two cores can carry them: what they measure is balancing, not machines.
 */
import { createServer, type ServerResponse } from 'node:http';
import { gammaOf, randomOf } from './random.ts';

const [, , ports = '', meanMs = '20', seed = '1'] = process.argv;
const serviceMs = gammaOf(randomOf(Number(seed)), Number(meanMs));

for (const port of ports.split(',')) {
  const waiting: ServerResponse[] = [];
  let isBusy = false;
  const serve = () => {
    const response = waiting.shift();
    isBusy = response !== undefined;
    if (response === undefined) return;
    const startedMs = performance.now();
    const tookMs = serviceMs();
    // Timers of a millisecond would round a short service; the rest is waited out.
    const end = () => {
      if (performance.now() - startedMs < tookMs) return void setImmediate(end);
      response.end('{}');
      serve();
    };
    setTimeout(end, Math.max(0, tookMs - 1));
  };
  createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      waiting.push(response);
      if (!isBusy) serve();
    });
  }).listen(Number(port), '127.0.0.1');
}
