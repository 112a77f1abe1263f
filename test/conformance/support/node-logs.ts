/** A node whose containers have logs: where the API server sends `kubectl logs`. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll } from '@jest/globals';
import { loopbackCertificate } from '../../../local/apiserver/http/certificate.ts';
import type { Cluster } from './cluster.ts';
import { said } from './words.ts';

export interface LogRequest {
  readonly container: string;
  readonly follow: boolean;
  readonly tailLines?: number;
}

/** Makes a node that answers for its containers with these lines; returns its name. */
export async function nodeWithLogs(
  api: Cluster,
  lines: (request: LogRequest) => readonly string[],
): Promise<string> {
  const node = api.unique('node');
  const made = await api.post('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  if (made.status !== 201) throw new Error(`no node: ${said(made)}`);
  api.cleanUp(`/api/v1/nodes/${node}`);
  if (api.embedded === undefined) await serveAsKubelet(api, node, lines);
  else
    api.embedded.registry.setLogSource({
      async *read(_pod, { container, follow, tailLines }) {
        yield* lines({ container, follow, ...(tailLines === undefined ? {} : { tailLines }) });
      },
    });
  return node;
}

/** A real API server asks the kubelet of the pod's node: here one that knows nothing but logs. */
async function serveAsKubelet(
  api: Cluster,
  node: string,
  lines: (request: LogRequest) => readonly string[],
): Promise<void> {
  const server = createServer(loopbackCertificate(['127.0.0.1'], Date.now()), (request, response) => {
    const url = new URL(request.url ?? '', 'https://node');
    const [, endpoint, , , container = ''] = url.pathname.split('/');
    if (endpoint !== 'containerLogs') {
      response.writeHead(404).end();
      return;
    }
    const tail = url.searchParams.get('tailLines');
    const follow = url.searchParams.get('follow') === 'true';
    const asked = { container, follow, ...(tail === null ? {} : { tailLines: Number(tail) }) };
    response.writeHead(200, { 'content-type': 'text/plain' }).end(lines(asked).join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  const answer = await api.mergePatch(`/api/v1/nodes/${node}/status`, {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  if (answer.status !== 200) throw new Error(`status of the node: ${said(answer)}`);
}
