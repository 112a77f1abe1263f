/** An HTTPS server of a closed network: its certificate is from an authority that only its owner knows. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface ModelServer {
  /** `https://ADDRESS:PORT`. */
  readonly url: string;
  /** File with the authority's certificate. */
  readonly authority: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Serves `files`, by path, at an address of this machine; keys and certificates go into `dir`. */
export async function startModelServer(
  dir: string,
  address: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<ModelServer> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const fresh = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  openssl(...fresh, '-subj', '/CN=closed network', '-keyout', at('ca.key'), '-out', at('ca.crt'));
  const signed = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-addext', `subjectAltName=IP:${address}`];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  openssl(...fresh, ...signed, ...leaf, '-subj', '/CN=models', '-keyout', at('key'), '-out', at('crt'));

  const asked: string[] = [];
  const server = createServer(
    { key: readFileSync(at('key')), cert: readFileSync(at('crt')) },
    (request, response) => {
      asked.push(request.url ?? '');
      const file = files[request.url ?? ''];
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': file.length }).end(file);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  return {
    url: `https://${address}:${(server.address() as AddressInfo).port}`,
    authority: at('ca.crt'),
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
