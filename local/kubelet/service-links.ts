/** Variables by which a pod finds the Services of its namespace: `WINE_SERVICE_HOST` and `WINE_SERVICE_PORT`. Pure. */
import type { Service } from '../../kube/objects.ts';

const variable = (name: string) => name.toUpperCase().replaceAll('-', '_');

/** Host and ports of every Service that has an address. */
export function serviceLinks(services: readonly Service[]): Map<string, string> {
  const links = new Map<string, string>();
  for (const { metadata, spec } of services) {
    if (spec.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === 'None') continue;
    const name = variable(metadata.name ?? '');
    const [first] = spec.ports ?? [];
    if (first === undefined) continue;
    links.set(`${name}_SERVICE_HOST`, spec.clusterIP);
    links.set(`${name}_SERVICE_PORT`, String(first.port));
    for (const port of spec.ports ?? [])
      if (port.name !== undefined)
        links.set(`${name}_SERVICE_PORT_${variable(port.name)}`, String(port.port));
  }
  return links;
}
