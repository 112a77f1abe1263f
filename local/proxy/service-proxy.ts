/** kube-proxy of the embedded cluster: a listener for each port of each Service, in front of its ready endpoints. */
import { createServer, type Server, type Socket } from 'node:net';
import type { EndpointSlice, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { failureReason, failureText, keyOf, refOf } from '../controllers/access.ts';
import { ControlLoop } from '../controllers/control-loop.ts';
import { urlAnnotation } from '../controllers/own-ports.ts';
import type { ControllerParts } from '../controllers/parts.ts';
import { backendsOf, RoundRobin } from './backends.ts';
import { relay } from './relay.ts';

interface Listener {
  readonly server: Server;
  readonly clients: Set<Socket>;
  readonly backends: RoundRobin;
  readonly portName: string;
  /** Where it listens, `host:port`. */
  readonly at: string;
}

export interface ServiceProxy {
  /** `host:port` at which a Service port is reached; undefined while it is not. */
  addressOf(namespace: string, service: string, port: number): string | undefined;
  close(): Promise<void>;
}

/** Starts the proxy. With `singleAddress` every listener is a free port of 127.0.0.1. */
export function startServiceProxy(
  parts: ControllerParts & { readonly singleAddress: boolean },
): ServiceProxy {
  const { cache, events, log } = parts;
  /** Per Service key, per listener `clusterIP:port`. */
  const services = new Map<string, Map<string, Listener>>();

  const slices = new Map<string, Map<string, EndpointSlice>>();

  const backendsFor = (key: string, portName: string) =>
    backendsOf([...(slices.get(key)?.values() ?? [])], portName);

  const listen = async (service: Service, ip: string, port: number, portName: string): Promise<Listener> => {
    const key = keyOf(service);
    const backends = new RoundRobin();
    const clients = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
      clients.add(client);
      client.once('close', () => clients.delete(client));
      const sticky = cache.get<Service>(resources.services, key)?.spec.sessionAffinity === 'ClientIP';
      relay(client, backends.turn(sticky ? client.remoteAddress : undefined), clients);
    });
    const bind = (host: string, number: number) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port: number, exclusive: true }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    if (parts.singleAddress) await bind('127.0.0.1', 0);
    else
      try {
        await bind(ip, port);
      } catch (error) {
        // A stranger listens at all addresses on this port, or it is a privileged one: say where else it is.
        await bind('127.0.0.1', 0);
        events.say(
          service,
          'Warning',
          'PortTaken',
          `${ip}:${port} cannot be listened at (${failureText(error)}); see the annotation ${urlAnnotation}`,
          { component: 'service-proxy' },
        );
      }
    server.on('error', (error) => log(`service proxy: ${failureText(error)}`));
    const address = server.address();
    const at = typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : '';
    return { server, clients, backends, portName, at };
  };

  const shut = async ({ server, clients }: Listener): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const client of clients) client.destroy();
    await closed;
  };

  const reconcile = async (key: string): Promise<undefined> => {
    const service = cache.get<Service>(resources.services, key);
    const ip = service?.spec.clusterIP ?? '';
    const wanted = new Map<string, { port: number; portName: string }>();
    if (
      service !== undefined &&
      ip !== '' &&
      ip !== 'None' &&
      service.metadata.deletionTimestamp === undefined
    )
      for (const port of service.spec.ports ?? [])
        if ((port.protocol ?? 'TCP') === 'TCP')
          wanted.set(`${ip}:${port.port}/${port.name ?? ''}`, { port: port.port, portName: port.name ?? '' });
    const listeners = services.get(key) ?? new Map<string, Listener>();
    services.set(key, listeners);
    for (const [id, listener] of listeners) {
      if (wanted.has(id)) continue;
      listeners.delete(id);
      await shut(listener);
    }
    if (service !== undefined)
      for (const [id, { port, portName }] of wanted)
        if (!listeners.has(id)) listeners.set(id, await listen(service, ip, port, portName));
    for (const listener of listeners.values()) listener.backends.set(backendsFor(key, listener.portName));
    if (listeners.size === 0) services.delete(key);
    else if (service !== undefined) await annotate(parts, service, [...listeners.values()], ip);
    return undefined;
  };
  const loop = new ControlLoop({ name: 'service proxy', clock: parts.clock, log, reconcile });
  const stops = [
    cache.onChange<Service>(resources.services, ({ key }) => loop.enqueue(key)),
    cache.onChange<EndpointSlice>(resources.endpointSlices, ({ key: sliceKey, object, deleted }) => {
      const name = object.metadata.labels?.['kubernetes.io/service-name'];
      if (name === undefined) return;
      const key = `${object.metadata.namespace}/${name}`;
      const known = slices.get(key) ?? new Map<string, EndpointSlice>();
      if (deleted) known.delete(sliceKey);
      else known.set(sliceKey, object);
      if (known.size > 0) slices.set(key, known);
      else slices.delete(key);
      // At once, not by the loop: a pod that just left must get no more connections.
      for (const listener of services.get(key)?.values() ?? [])
        listener.backends.set(backendsFor(key, listener.portName));
    }),
  ];
  return {
    addressOf(namespace, name, port) {
      for (const [id, { at }] of services.get(`${namespace}/${name}`) ?? [])
        if (id.split('/')[0]?.endsWith(`:${port}`) === true) return at;
      return undefined;
    },
    async close() {
      for (const stop of stops) stop();
      await loop.stop();
      for (const listeners of services.values())
        for (const listener of listeners.values()) await shut(listener);
      services.clear();
    },
  };
}

/** Tells people where a Service is when its own address does not lead there. */
async function annotate(
  { cache, log }: ControllerParts,
  service: Service,
  listeners: readonly Listener[],
  ip: string,
): Promise<void> {
  const elsewhere = listeners.filter(({ at }) => !at.startsWith(`${ip}:`));
  const url =
    elsewhere.length === 0
      ? undefined
      : elsewhere.map(({ at, portName }) => `${portName === 'grpc' ? 'grpc' : 'http'}://${at}`).join(',');
  if (service.metadata.annotations?.[urlAnnotation] === url) return;
  try {
    await cache.patch(resources.services, refOf(service), {
      metadata: { annotations: { [urlAnnotation]: url ?? null } },
    });
  } catch (error) {
    if (failureReason(error) !== 'NotFound') log(`service proxy: annotation: ${failureText(error)}`);
  }
}
