/** What a newcomer reads once the model serves, whatever kind of model it is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { createNarrator } from './narrator.ts';
import { showTour } from './tour.ts';

let server: Server | undefined;
const folder = mkdtempSync(join(tmpdir(), 'ballast-tour-'));
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The text of the tour for a model with one input of this shape, whose predictions are answered so. */
async function tourOf(shape: number[], status: number, text: string): Promise<string> {
  const input = { name: 'x', datatype: 'FP32', shape };
  server = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith('/infer')) response.writeHead(status).end(text);
    else response.end(JSON.stringify({ inputs: [input], outputs: [input] }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let said = '';
  await showTour({
    narrator: createNarrator({ write: (part: string) => (said += part) }, () => 0),
    name: 'm',
    modelUri: 'file:///models/m.onnx',
    checkout: folder,
    stateDir: folder,
    kubeconfigPath: join(folder, 'kubeconfig'),
    tools: Promise.resolve({}),
    serviceUrl: () => url,
    stopped: () => false,
  });
  return said.replaceAll(url, 'URL');
}

test('an input too large for an example is said, and the tour goes on', async () => {
  const said = await tourOf([1, 3, 2000, 2000], 200, '{}');
  expect(said).toContain('no example request is made: input "x" has 12000000 elements\n');
  expect(said).toContain('    x  FP32  [1, 3, 2000, 2000]\n');
  expect(said).toContain('    kubectl get md -w\n');
  expect(said).not.toContain('curl');
});

test('a prediction that is refused is said with its reason', async () => {
  const said = await tourOf([-1, 2], 400, '{"error":"no JSON for FP16"}');
  expect(said).toMatch(/first prediction: HTTP 400 in .* ms: \{"error":"no JSON for FP16"\}/);
  expect(said).toContain('    curl -s URL/v2/models/m/infer -d @m-request.json\n');
});
