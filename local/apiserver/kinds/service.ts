/** Strategy of Services: cluster addresses from 127.96.0.0/16. */
import { isIPv4 } from 'node:net';
import type { Strategy, StrategyContext } from '../kind.ts';
import { type AnyObject, type Json, jsonAt, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';

const perBlock = 250;
const poolSize = perBlock * perBlock;
/** 127.96.0.1 and its block stay free for what a person wants to place by hand. */
const poolAddress = (index: number) => `127.96.${Math.floor(index / perBlock) + 1}.${(index % perBlock) + 1}`;
const poolAddressPattern = /^127\.96\.\d{1,3}\.\d{1,3}$/;

const takenAddresses = (context: StrategyContext) =>
  new Set(context.list('services').map((service) => textAt(service.spec, 'clusterIP')));

/** The first free address from the server's own start on. */
function freeAddress(context: StrategyContext): string {
  const taken = takenAddresses(context);
  const start = Math.floor(context.addressOffset * poolSize);
  for (let step = 0; step < poolSize; step++) {
    const address = poolAddress((start + step) % poolSize);
    if (!taken.has(address)) return address;
  }
  throw new Error('no cluster address is left');
}

/** Gives the Service its address and what follows from it. */
function allocate(draft: AnyObject, context: StrategyContext): void {
  const spec: Json = jsonAt(draft, 'spec');
  draft.spec = spec;
  if (spec.type === 'ExternalName') return;
  if (textAt(spec, 'clusterIP') === '') spec.clusterIP = freeAddress(context);
  spec.clusterIPs = [spec.clusterIP];
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
}

export const serviceStrategy: Strategy = {
  generation: 'none',
  nameRule: 'label',
  unconditionalUpdate: true,
  createOnUpdate: true,
  allocate,
  prepareCreate(draft) {
    draft.status = { loadBalancer: {} };
  },
  prepareUpdate(draft, old) {
    const spec = jsonAt(draft, 'spec');
    // A replace that leaves out what the server gave keeps it.
    if (spec.type === 'ExternalName') return;
    const before = jsonAt(old, 'spec');
    if (textAt(spec, 'clusterIP') === '' && before.clusterIP !== undefined) {
      spec.clusterIP = before.clusterIP;
      spec.clusterIPs = structuredClone(before.clusterIPs);
    }
    for (const field of ['ipFamilies', 'ipFamilyPolicy'])
      if (spec[field] === undefined && before[field] !== undefined)
        spec[field] = structuredClone(before[field]);
  },
  validate(object, old, context): FieldFault[] {
    const address = textAt(object.spec, 'clusterIP');
    // What is no address at all, the schema refuses in its own words.
    if (old !== undefined || !isIPv4(address)) return [];
    if (!poolAddressPattern.test(address))
      return [
        fault.invalid(
          'spec.clusterIPs',
          [address],
          `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is 127.96.0.0/16`,
        ),
      ];
    return takenAddresses(context).has(address)
      ? [
          fault.invalid(
            'spec.clusterIPs',
            [address],
            `failed to allocate IP ${address}: provided IP is already allocated`,
          ),
        ]
      : [];
  },
};
