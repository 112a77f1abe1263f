import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import type { LoadReport, LoadSecond } from '../../crds/wire.ts';
import { createOpsHandler, type OpsContext } from './ops.ts';

const seconds = [1_000, 2_000, 3_000].map((endMs) => ({ endMs, arrivals: 1 }) as LoadSecond);

/** The seconds that `GET url` tells of. */
function told(url: string): number[] {
  let body = '';
  const response = {
    writeHead: () => response,
    setHeader: () => response,
    end: (text: string | Buffer) => {
      body = String(text);
    },
  };
  const context = { load: () => ({ version: 1, seconds }) as unknown as LoadReport } as OpsContext;
  createOpsHandler(context)({ method: 'GET', url } as IncomingMessage, response as unknown as ServerResponse);
  return (JSON.parse(body) as LoadReport).seconds.map(({ endMs }) => endMs);
}

test.each([
  ['/load', [1_000, 2_000, 3_000]],
  ['/load?sinceMs=1000', [2_000, 3_000]],
  ['/load?sinceMs=3000', []],
  ['/load?sinceMs=', [1_000, 2_000, 3_000]],
  ['/load?sinceMs=soon', [1_000, 2_000, 3_000]],
  ['/load?sinceMs=-1', [1_000, 2_000, 3_000]],
])('%s tells of %j', (url, expected) => {
  expect(told(url)).toEqual(expected);
});
