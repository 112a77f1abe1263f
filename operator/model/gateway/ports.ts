/** Ports of models at the gateway: one each, unique in a namespace, the same for good. */
import { createHash } from 'node:crypto';
import { gatewayPorts } from '../../../crds/routes.ts';

const count = gatewayPorts.last - gatewayPorts.first + 1;

/**
 * The port of a model that has none yet: where its name's hash points, or the next free one. So a namespace that is made
 * anew from its manifests gives nearly all models the ports that they had. Undefined when all 10,000 are taken.
 */
export function freePort(name: string, taken: ReadonlySet<number>): number | undefined {
  const start = createHash('sha256').update(name).digest().readUInt32BE(0) % count;
  for (let step = 0; step < count; step++) {
    const port = gatewayPorts.first + ((start + step) % count);
    if (!taken.has(port)) return port;
  }
  return undefined;
}
