/** What is written to a client whose request could not be read as HTTP: no response object is there to write it. */

const clientErrors: Readonly<Record<string, [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'the request headers are larger than 16384 bytes',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request was not complete in time'],
};

/** The whole answer, by the code that Node's parser gives; the connection ends with it. */
export function brokenRequestAnswer(code: string | undefined): string {
  const [status, message] = clientErrors[code ?? ''] ?? ['400 Bad Request', 'the request is no valid HTTP'];
  const body = JSON.stringify({ error: message });
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}
