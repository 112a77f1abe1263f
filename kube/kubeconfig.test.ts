import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { dump } from 'js-yaml';
import { readPlainKubeconfig } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'config');

function write(user: object, cluster: object = {}): void {
  writeFileSync(
    path,
    dump({
      'current-context': 'main',
      contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://h', ...cluster } }],
      users: [{ name: 'u', user }],
    }),
  );
}

describe('a kubeconfig that holds its credentials', () => {
  test('reads a token file anew each time, since it is rotated', () => {
    write({ tokenFile: 'token' });
    const config = readPlainKubeconfig(path, undefined);
    writeFileSync(join(folder, 'token'), 'one\n');
    expect(config?.credentials().headers).toEqual({ authorization: 'Bearer one' });
    writeFileSync(join(folder, 'token'), 'two\n');
    expect(config?.credentials().headers).toEqual({ authorization: 'Bearer two' });
  });

  test('reads certificates from files beside it', () => {
    writeFileSync(join(folder, 'client.crt'), 'cert');
    writeFileSync(join(folder, 'client.key'), 'key');
    write({ 'client-certificate': 'client.crt', 'client-key': 'client.key' });
    const tls = readPlainKubeconfig(path, undefined)?.credentials().tls;
    expect([String(tls?.cert), String(tls?.key)]).toEqual(['cert', 'key']);
  });

  test('sends user and password as basic authentication', () => {
    write({ username: 'a', password: 'b' });
    const { headers } = readPlainKubeconfig(path, undefined)?.credentials() ?? {};
    expect(headers).toEqual({ authorization: `Basic ${Buffer.from('a:b').toString('base64')}` });
  });

  test('keeps an insecure cluster insecure and nothing else', () => {
    write({ token: 't' }, { 'insecure-skip-tls-verify': true });
    expect(readPlainKubeconfig(path, undefined)?.credentials().tls).toEqual({ rejectUnauthorized: false });
    write({ token: 't' });
    expect(readPlainKubeconfig(path, undefined)?.credentials().tls).toEqual({});
  });

  test.each([
    ['an exec plug-in', { exec: { command: 'aws' } }],
    ['an auth provider', { 'auth-provider': { name: 'oidc' } }],
    ['impersonation', { token: 't', as: 'somebody' }],
  ])('leaves %s to client-node', (_what, user) => {
    write(user);
    expect(readPlainKubeconfig(path, undefined)).toBeUndefined();
  });

  test('leaves a context that is not there to client-node, which lists those that are', () => {
    write({ token: 't' });
    expect(readPlainKubeconfig(path, 'other')).toBeUndefined();
  });
});
