/** Ports that a pod listens on when it has no address of its own: `containerPort -> real port`, kept in an annotation. */
import type { Pod } from '../../kube/objects.ts';

/** JSON object from port names (or numbers, for ports without a name) to the real ports. */
export const portsAnnotation = 'local.ballast.dev/ports';
/** On a Service: where a person reaches it when it has no address of its own. */
export const urlAnnotation = 'local.ballast.dev/url';

export type OwnPorts = Readonly<Record<string, number>>;

/** The annotation of a pod; undefined when its ports are the ones that its spec names. */
function ownPortsOf(pod: Pod): OwnPorts | undefined {
  const text = pod.metadata.annotations?.[portsAnnotation];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const entries = Object.entries(value).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    );
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}

/** Port of a container by name or number, as the pod really listens; undefined for a name that no container has. */
export function resolvePort(pod: Pod, port: number | string, own = ownPortsOf(pod)): number | undefined {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const found = ports.find((candidate) =>
    typeof port === 'number' ? candidate.containerPort === port : candidate.name === port,
  );
  const number = found?.containerPort ?? (typeof port === 'number' ? port : undefined);
  if (number === undefined) return undefined;
  return own?.[found?.name ?? String(number)] ?? number;
}
