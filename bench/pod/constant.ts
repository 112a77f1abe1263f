/** The limit of HTTP in Node: reads each body, answers with a constant. */
import { createServer } from 'node:http';

const body = Buffer.from(
  '{"model_name":"bench","outputs":[{"name":"y","shape":[1,3],"datatype":"FP32","data":[0.1,0.2,0.7]}]}',
);

createServer((request, response) => {
  request.on('data', () => {});
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
