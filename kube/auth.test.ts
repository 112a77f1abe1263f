import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadAuth } from './auth.ts';
import { HeldClock } from './clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'kube-auth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const kubeconfig = (name: string, cluster: string, user: string) =>
  file(
    name,
    `
apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team}}
- {name: lost, context: {cluster: nowhere, user: u}}
clusters:
- {name: c, cluster: ${cluster}}
users:
- {name: u, user: ${user}}
`,
  );

describe('auth', () => {
  test('reads a kubeconfig with plain http and a bearer token', async () => {
    const auth = await loadAuth({
      kubeconfig: kubeconfig('plain', '{server: "http://127.0.0.1:1/"}', '{token: t0k}'),
    });
    expect([auth.server, auth.namespace]).toEqual(['http://127.0.0.1:1', 'team']);
    expect((await auth.credentials()).headers).toEqual({ authorization: 'Bearer t0k' });
  });

  test('reads client certificates and the CA', async () => {
    const data = Buffer.from('pem').toString('base64');
    const auth = await loadAuth({
      kubeconfig: kubeconfig(
        'certs',
        `{server: "https://h", certificate-authority-data: ${data}, tls-server-name: api}`,
        `{client-certificate-data: ${data}, client-key-data: ${data}}`,
      ),
    });
    const { tls } = await auth.credentials();
    expect([String(tls.ca), String(tls.cert), String(tls.key), tls.servername]).toEqual([
      'pem',
      'pem',
      'pem',
      'api',
    ]);
  });

  test('asks an exec plug-in for the token', async () => {
    const credential = JSON.stringify({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin' },
    });
    const auth = await loadAuth({
      kubeconfig: kubeconfig(
        'exec',
        '{server: "http://127.0.0.1:1"}',
        `{exec: {apiVersion: client.authentication.k8s.io/v1, command: echo, args: ['${credential}']}}`,
      ),
    });
    expect((await auth.credentials()).headers.authorization).toBe('Bearer from-plugin');
  });

  test('names the contexts there are when the wanted one is not', async () => {
    const path = kubeconfig('contexts', '{server: "http://127.0.0.1:1"}', '{}');
    await expect(loadAuth({ kubeconfig: path, context: 'lost' })).rejects.toThrow('contexts: main, lost');
    await expect(loadAuth({})).rejects.toThrow('name a kubeconfig');
  });

  test('in a cluster: reads the token anew each minute, and at once after a 401', async () => {
    file('token', 'one\n');
    file('ca.crt', 'ca');
    file('namespace', 'models');
    const clock = new HeldClock();
    const auth = await loadAuth({ inCluster: { host: '::1', port: '443', directory: folder }, clock });
    const token = async () => (await auth.credentials()).headers.authorization;
    expect([auth.server, auth.namespace, await token()]).toEqual([
      'https://[::1]:443',
      'models',
      'Bearer one',
    ]);
    file('token', 'two');
    expect(await token()).toBe('Bearer one');
    clock.advance(60_000);
    expect(await token()).toBe('Bearer two');
    file('token', 'three');
    auth.renew();
    expect(await token()).toBe('Bearer three');
  });
});
