/** Pods of the tests' web server, and questions to them. */
import { request } from 'undici';
import { loadAuth } from '../../../kube/auth.ts';
import { type Body, type Client, openClient } from '../../conformance/support/client.ts';
import { said } from '../../conformance/support/words.ts';

/** Opens a client with the kubeconfig. */
export async function clientOf(kubeconfig: string): Promise<Client> {
  return openClient(await loadAuth({ kubeconfig }));
}

/** Asks until the condition holds; `what` and the last answer are part of the error. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T>,
  holds: (value: T) => boolean,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await ask();
      if (holds(value)) return value;
      last = value;
    } catch (error) {
      last = (error as Error).message;
    }
    if (Date.now() > deadlineMs)
      throw new Error(`${what}: not so after ${timeoutMs / 1000} s: ${JSON.stringify(last)?.slice(0, 3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What an address answers, within three seconds. */
export async function ask(url: string): Promise<{ status: number; text: string }> {
  const timeouts = { headersTimeout: 6000, bodyTimeout: 6000, signal: AbortSignal.timeout(6000) };
  const answer = await request(url, { ...timeouts, reset: true });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** Makes a Deployment of the web server as the restricted Pod Security level wants it, one replica per node, and a Service. */
export async function makeProbe(
  client: Client,
  name: string,
  replicas: number,
  extra: object = {},
): Promise<void> {
  const labels = { app: name };
  const made = [
    await client.post('/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { ...podSpec(labels), ...extra } },
      },
    }),
    await client.post('/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    }),
  ];
  for (const answer of made) if (answer.status !== 201) throw new Error(`${said(answer)} ${answer.text}`);
}

function podSpec(labels: object): object {
  return {
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: labels },
      },
    ],
    containers: [
      {
        name: 'probe',
        image: 'docker.io/ballast/probe:1',
        imagePullPolicy: 'IfNotPresent',
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { path: '/name', port: 8080 }, periodSeconds: 1 },
        resources: { limits: { cpu: '500m', memory: '64Mi' } },
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  };
}

export interface Pod {
  readonly name: string;
  readonly node: string;
  readonly ip: string;
  readonly ready: boolean;
  readonly status: Body;
}

/** The pods of a Deployment that are not about to go. */
export async function podsOf(client: Client, name: string): Promise<Pod[]> {
  const answer = await client.get('/api/v1/namespaces/default/pods', { labelSelector: `app=${name}` });
  return answer.body.items
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map((pod) => {
      const status = pod.status as Body & { podIP?: string; conditions?: { type: string; status: string }[] };
      return {
        name: pod.metadata.name ?? '',
        node: (pod.spec.nodeName as string | undefined) ?? '',
        ip: status.podIP ?? '',
        ready: status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
        status,
      };
    });
}

/** Waits until that many pods are Ready. */
export function readyPods(client: Client, name: string, count: number): Promise<Pod[]> {
  return until(
    `${count} pods of ${name} are Ready`,
    60_000,
    async () => (await podsOf(client, name)).filter(({ ready }) => ready),
    (pods) => pods.length === count,
  );
}
