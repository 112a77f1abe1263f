import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { expect, test } from '@jest/globals';
import { kubeconfigText, startApiServer } from '../index.ts';
import { loopbackCertificate } from './certificate.ts';

test('the certificate holds for its addresses, signs itself and lasts', () => {
  const now = Date.UTC(2026, 0, 1);
  const certificate = new X509Certificate(loopbackCertificate(['127.0.0.1', '127.0.0.9'], now).cert);
  expect(certificate.checkIP('127.0.0.9')).toBe('127.0.0.9');
  expect(certificate.checkHost('localhost')).toBe('localhost');
  expect(certificate.checkIP('127.0.0.2')).toBeUndefined();
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.ca).toBe(true);
  expect(Date.parse(certificate.validFrom)).toBeLessThan(now);
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(now + 9 * 365 * 24 * 3600 * 1000);
});

test('a client that trusts it is served, one with another token is not', async () => {
  const server = await startApiServer({ tls: true });
  const ask = (token: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const call = request(
        `${server.url}/api/v1/namespaces`,
        { ca: server.caPem, headers, agent: false },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      call.on('error', reject);
      call.end();
    });
  try {
    expect(await ask(server.token)).toBe(200);
    expect(await ask('another')).toBe(401);
    expect(kubeconfigText(server)).toContain('certificate-authority-data');
  } finally {
    await server.close();
  }
});
