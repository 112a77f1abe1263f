/** Answers of the fast lane, byte for byte as node:http would write them, in one buffer. */
import { type AnswerOptions, headersOf } from '../answer.ts';

const { STATUS_CODES } = process.getBuiltinModule('node:http');

let second = -1;
let date = '';

/** The date as HTTP writes it; made once a second. */
const dateNow = (): string => {
  const now = Date.now();
  const nowSecond = Math.floor(now / 1000);
  if (nowSecond !== second) {
    second = nowSecond;
    date = new Date(now).toUTCString();
  }
  return date;
};

/** The whole answer: head and body. `keepAliveSeconds` is what the client is promised when the connection stays open. */
export const writeAnswer = (
  status: number,
  body: Buffer,
  options: AnswerOptions,
  keepAliveSeconds: number,
): Buffer => {
  const headers = headersOf(body, options);
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  head += `Date: ${dateNow()}\r\n`;
  if (options.close !== true) head += `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n`;
  head += '\r\n';
  const answer = Buffer.allocUnsafe(head.length + body.length);
  answer.write(head, 'latin1');
  body.copy(answer, head.length);
  return answer;
};
