/** An embedded cluster in a folder of its own, with small node scripts as images: for the kubelet's tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, KubeEvent, Pod, PodSpec } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../../local/cluster.ts';

/** Scripts by image name. */
export const scripts = {
  /** Serves HTTP; `/fail` and `/heal` switch what `/ready` says, `/exit?CODE` ends it. */
  web: `
    import http from 'node:http';
    const host = process.env.BALLAST_LISTEN_HOST;
    const port = Number(process.env.BALLAST_HTTP_PORT ?? 8080);
    let ok = true;
    const server = http.createServer((request, response) => {
      const url = new URL(request.url, 'http://x');
      if (url.pathname === '/fail') ok = false;
      if (url.pathname === '/heal') ok = true;
      if (url.pathname === '/ready' && !ok) response.statusCode = 503;
      if (url.pathname === '/exit') setImmediate(() => process.exit(Number(url.search.slice(1))));
      response.end(process.env.HOSTNAME);
    });
    server.listen(port, host, () => console.log('listening'));
    // Endpoints learn of the end at the same moment: a server goes on until they have.
    process.on('SIGTERM', () => setTimeout(() => server.close(() => process.exit(0)), 150));
  `,
  /** Prints its environment and files as told by its arguments, then ends. */
  show: `
    import fs from 'node:fs';
    for (const argument of process.argv.slice(2)) {
      if (argument.startsWith('env=')) console.log(argument.slice(4) + '=' + process.env[argument.slice(4)]);
      else if (argument.startsWith('/')) console.log(fs.readFileSync(argument, 'utf8'));
      else console.log(argument);
    }
  `,
  /** Ends with the code, after writing its termination message. */
  fail: `
    import fs from 'node:fs';
    const [code, message] = process.argv.slice(2);
    if (message) fs.writeFileSync(process.env.BALLAST_TERMINATION_LOG, message);
    console.log('failing now');
    console.error('with code ' + code);
    process.exit(Number(code));
  `,
  /** Ignores SIGTERM. */
  stubborn: `
    process.on('SIGTERM', () => console.log('no'));
    setInterval(() => {}, 1000);
    console.log('started');
  `,
  /** Takes memory until something stops it. */
  hungry: `
    const kept = [];
    setInterval(() => kept.push(Buffer.alloc(16 * 1024 * 1024, 1)), 10);
  `,
  /** Starts a child of its own and waits. */
  parent: `
    import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    console.log('child ' + child.pid);
    setInterval(() => {}, 1000);
  `,
  /** Prints a file's content each time it changes. */
  follow: `
    import fs from 'node:fs';
    let last;
    setInterval(() => {
      const text = fs.readFileSync(process.argv[2], 'utf8');
      if (text !== last) console.log('read ' + text);
      last = text;
    }, 20);
  `,
} as const;

export interface Testbed {
  readonly cluster: Cluster;
  readonly folder: string;
  find<T>(type: ResourceType, name: string): T | undefined;
  create(type: ResourceType, object: unknown): void;
  pod(name: string): Pod | undefined;
  runPod(name: string, spec: Partial<PodSpec> & { containers: Container[] }, metadata?: object): void;
  events(name: string): KubeEvent[];
  logs(name: string, options?: object): Promise<string>;
  /** Waits until the pod's log has the text. */
  hears(name: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** Waits until `read` gives something other than undefined or false; fails with the last state after 15 s. */
export async function until<T>(
  what: string,
  read: () => T | undefined | false,
  describe?: () => unknown,
): Promise<T> {
  const endMs = performance.now() + 15_000;
  for (;;) {
    const value = read();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > endMs)
      throw new Error(`waited in vain: ${what}\n${JSON.stringify(describe?.(), null, 1) ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Writes the scripts into the folder and gives their image map. */
export function imagesIn(folder: string) {
  const entries = Object.entries(scripts).map(([name, text]) => {
    const path = join(folder, `${name}.mjs`);
    writeFileSync(path, text);
    return [name, { command: [process.execPath, path] }] as const;
  });
  return Object.fromEntries(entries);
}

/** A fresh folder below the machine's temporary one. */
export const freshFolder = (): string => mkdtempSync(join(tmpdir(), 'ballast-kubelet-'));

/** Starts a cluster with the scripts as images. */
export async function startTestbed(options: Partial<ClusterOptions> = {}): Promise<Testbed> {
  const folder = freshFolder();
  const cluster = await startCluster({
    stateDir: join(folder, 'state'),
    imageMap: imagesIn(folder),
    backoff: { initialMs: 50, maxMs: 1_000 },
    ...options,
  });
  const { registry } = cluster;
  const namespace = 'default';
  const logs = async (name: string, logOptions: object = {}) => {
    const pod = registry.get<Pod>(resources.pods, { namespace, name });
    let text = '';
    const chunks = registry.logSource?.read(
      pod,
      {
        container: pod.spec.containers[0]?.name ?? '',
        follow: false,
        previous: false,
        timestamps: false,
        ...logOptions,
      },
      new AbortController().signal,
    );
    for await (const chunk of chunks ?? []) text += chunk;
    return text;
  };
  return {
    cluster,
    folder,
    find: <T>(type: ResourceType, name: string) => registry.find(type, { namespace, name }) as T | undefined,
    create: (type, object) => void registry.create(type, object as Pod, { namespace }),
    pod: (name) => registry.find<Pod>(resources.pods, { namespace, name }) as Pod | undefined,
    runPod: (name, spec, metadata = {}) =>
      void registry.create<Pod>(resources.pods, {
        metadata: { name, namespace, ...metadata },
        spec: { terminationGracePeriodSeconds: 1, ...spec },
      }),
    events: (name) =>
      registry
        .list<KubeEvent>(resources.events, { namespace })
        .items.filter((event) => event.involvedObject.name === name) as KubeEvent[],
    logs,
    hears: async (name, text) => {
      let heard = '';
      await until(`"${text}" in the log of ${name}`, () => {
        logs(name).then(
          (now) => {
            heard = now;
          },
          () => undefined,
        );
        return heard.includes(text);
      });
    },
    close: async () => {
      await cluster.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** True while the process runs (a zombie does not). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
