/** EndpointSlices of a Service: which pods answer, at which addresses and ports. The shape is pure, the writing short. */
import type { EndpointSlice, Pod, Service } from '../../kube/objects.ts';
import { resources } from '../../kube/resource.ts';
import { keyOf, refOf } from './access.ts';
import { ControlLoop } from './control-loop.ts';
import { canonicalJson } from './deployment/template-hash.ts';
import { resolvePort } from './own-ports.ts';
import type { ControllerParts } from './parts.ts';
import { isFinished, isReady } from './pod-state.ts';
import { selectsPairs } from './selector.ts';

const serviceLabel = 'kubernetes.io/service-name';
const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
const managedBy = 'endpointslice-controller.k8s.io';
/** Endpoints of one slice; upstream's default. */
const maxEndpoints = 100;

type Endpoint = EndpointSlice['endpoints'][number];
export interface SliceContent {
  readonly ports: NonNullable<EndpointSlice['ports']>;
  readonly endpoints: Endpoint[];
}

function endpointOf(pod: Pod, publishNotReady: boolean): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isReady(pod);
  return {
    addresses: [pod.status?.podIP ?? ''],
    conditions: { ready: publishNotReady || (serving && !terminating), serving, terminating },
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: {
      kind: 'Pod',
      name: pod.metadata.name ?? '',
      namespace: pod.metadata.namespace ?? '',
      uid: pod.metadata.uid ?? '',
    },
  };
}

/** What the slices of a Service shall hold: pods grouped by their ports, which differ where pods have own ports. */
export function sliceContents(service: Service, pods: readonly Pod[]): SliceContent[] {
  const groups = new Map<string, { ports: SliceContent['ports']; endpoints: Endpoint[] }>();
  const publish = service.spec.publishNotReadyAddresses === true;
  for (const pod of [...pods].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))) {
    if (isFinished(pod) || (pod.status?.podIP ?? '') === '') continue;
    const ports: SliceContent['ports'] = [];
    for (const port of service.spec.ports ?? []) {
      // A pod without that named port takes part with the others, as upstream does.
      const number = resolvePort(pod, port.targetPort ?? port.port);
      if (number === undefined) continue;
      ports.push({
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      });
    }
    const id = canonicalJson(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    group.endpoints.push(endpointOf(pod, publish));
    groups.set(id, group);
  }
  const contents: SliceContent[] = [];
  for (const { ports, endpoints } of groups.values())
    for (let start = 0; start < endpoints.length; start += maxEndpoints)
      contents.push({ ports, endpoints: endpoints.slice(start, start + maxEndpoints) });
  return contents.length === 0 ? [{ ports: [], endpoints: [] }] : contents;
}

/** Starts the controller; the returned loop is stopped by the caller. */
export function startEndpointSliceController(parts: ControllerParts): ControlLoop {
  const { cache } = parts;
  const loop = new ControlLoop({
    name: 'endpointslice',
    clock: parts.clock,
    log: parts.log,
    reconcile: async (key) => {
      await reconcile(parts, key);
      return undefined;
    },
  });
  cache.onChange<Service>(resources.services, ({ key }) => loop.enqueue(key));
  cache.onChange<EndpointSlice>(resources.endpointSlices, ({ object }) => {
    const name = object.metadata.labels?.[serviceLabel];
    if (name !== undefined) loop.enqueue(`${object.metadata.namespace}/${name}`);
  });
  cache.onChange<Pod>(resources.pods, ({ object, previous }) => {
    for (const service of cache.list<Service>(resources.services, object.metadata.namespace)) {
      const { selector } = service.spec;
      if (selectsPairs(selector, object.metadata.labels) || selectsPairs(selector, previous?.metadata.labels))
        loop.enqueue(keyOf(service));
    }
  });
  return loop;
}

const meaning = (slice: { ports?: EndpointSlice['ports']; endpoints: Endpoint[] }): string =>
  canonicalJson({ ports: slice.ports ?? [], endpoints: slice.endpoints });

async function reconcile({ cache }: ControllerParts, key: string): Promise<void> {
  const service = cache.get<Service>(resources.services, key);
  const namespace = key.slice(0, key.indexOf('/'));
  // A deleted Service takes its slices along through their owner; one without a selector has none of ours.
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
  if (service.spec.selector === undefined || service.spec.type === 'ExternalName') return;

  const pods = cache
    .list<Pod>(resources.pods, namespace)
    .filter((pod) => selectsPairs(service.spec.selector, pod.metadata.labels));
  const wanted = sliceContents(service, pods);
  const own = cache
    .ownedBy<EndpointSlice>(resources.endpointSlices, service.metadata.uid ?? '')
    .filter(
      ({ metadata }) =>
        metadata.labels?.[managedByLabel] === managedBy && metadata.deletionTimestamp === undefined,
    );
  const free = new Set(own);
  const unmet: SliceContent[] = [];
  for (const content of wanted) {
    const same = [...free].find((slice) => meaning(slice) === meaning(content));
    if (same !== undefined) free.delete(same);
    else unmet.push(content);
  }
  for (const content of unmet) {
    // The slice with the same ports is changed in place, so that a watcher sees one change and no gap.
    const reuse =
      [...free].find((slice) => canonicalJson(slice.ports ?? []) === canonicalJson(content.ports)) ??
      [...free][0];
    if (reuse !== undefined) {
      free.delete(reuse);
      await cache.update(resources.endpointSlices, {
        ...reuse,
        ports: content.ports,
        endpoints: content.endpoints,
      });
    } else await cache.create(resources.endpointSlices, newSlice(service, content));
  }
  for (const slice of free)
    await cache.delete(resources.endpointSlices, refOf(slice), { uid: slice.metadata.uid });
}

function newSlice(service: Service, content: SliceContent): EndpointSlice {
  const headless = service.spec.clusterIP === 'None';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${service.metadata.name}-`,
      ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
      labels: {
        ...service.metadata.labels,
        [serviceLabel]: service.metadata.name ?? '',
        [managedByLabel]: managedBy,
        ...(headless ? { 'service.kubernetes.io/headless': '' } : {}),
      },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: service.metadata.name ?? '',
          uid: service.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    ports: content.ports,
    endpoints: content.endpoints,
  };
}
