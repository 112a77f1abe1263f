/** The kubeconfig of a running server. */
import { dump } from 'js-yaml';

/** Text of a kubeconfig with one context, `ballast`. */
export function kubeconfigText(server: { url: string; token: string; caPem?: string }): string {
  const name = 'ballast';
  const ca =
    server.caPem === undefined
      ? {}
      : { 'certificate-authority-data': Buffer.from(server.caPem).toString('base64') };
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: server.url, ...ca } }],
    users: [{ name, user: { token: server.token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}
