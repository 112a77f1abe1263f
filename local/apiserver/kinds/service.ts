/** Strategy of Services: cluster addresses from 127.96.0.0/16. */
import type { Strategy, StrategyContext } from '../kind.ts';
import { type AnyObject, type Json, jsonAt, listAt, numberAt, textAt } from '../object.ts';
import { type FieldFault, fault } from '../status-error.ts';
import { setDefault } from './pod-defaults.ts';

const poolSize = 250 * 250;
const poolAddress = (index: number) => `127.96.${Math.floor(index / 250)}.${(index % 250) + 1}`;
const poolAddressPattern = /^127\.96\.\d{1,3}\.\d{1,3}$/;
const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];

/** The lowest address that no Service has. */
function freeAddress(context: StrategyContext): string {
  const taken = new Set(context.list('services').map((service) => textAt(service.spec, 'clusterIP')));
  for (let index = 10; index < poolSize; index++) {
    const address = poolAddress(index);
    if (!taken.has(address)) return address;
  }
  throw new Error('no cluster address is left');
}

function specDefaults(spec: Json): void {
  setDefault(spec, 'type', 'ClusterIP');
  setDefault(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'ClientIP')
    setDefault(spec, 'sessionAffinityConfig', { clientIP: { timeoutSeconds: 10_800 } });
  for (const port of listAt(spec, 'ports') as Json[]) {
    setDefault(port, 'protocol', 'TCP');
    setDefault(port, 'targetPort', port.port);
  }
  if (spec.type === 'ExternalName') return;
  setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  setDefault(spec, 'ipFamilies', ['IPv4']);
  setDefault(spec, 'ipFamilyPolicy', 'SingleStack');
  if (spec.type !== 'ClusterIP') setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec.type === 'LoadBalancer') setDefault(spec, 'allocateLoadBalancerNodePorts', true);
}

function allocate(spec: Json, context: StrategyContext): void {
  if (spec.type === 'ExternalName') return;
  if (textAt(spec, 'clusterIP') === '') spec.clusterIP = freeAddress(context);
  spec.clusterIPs = [spec.clusterIP];
}

function faultsOf(object: AnyObject, old: AnyObject | undefined, context: StrategyContext): FieldFault[] {
  const spec = jsonAt(object, 'spec');
  const faults: FieldFault[] = [];
  const type = textAt(spec, 'type');
  if (!types.includes(type)) faults.push(fault.notSupported('spec.type', type, types));
  const address = textAt(spec, 'clusterIP');
  const before = textAt(old?.spec, 'clusterIP');
  if (old !== undefined && before !== '' && address !== before && type !== 'ExternalName')
    faults.push(fault.invalid('spec.clusterIPs[0]', [address], 'may not change once set'));
  else if (old === undefined && address !== '' && address !== 'None') {
    if (!poolAddressPattern.test(address))
      faults.push(
        fault.invalid(
          'spec.clusterIPs',
          [address],
          `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is 127.96.0.0/16`,
        ),
      );
    else if (context.list('services').some((other) => textAt(other.spec, 'clusterIP') === address))
      faults.push(
        fault.invalid(
          'spec.clusterIPs',
          [address],
          `failed to allocate IP ${address}: provided IP is already allocated`,
        ),
      );
  }
  return [...faults, ...portFaults(spec, address, type)];
}

function portFaults(spec: Json, address: string, type: string): FieldFault[] {
  const ports = listAt(spec, 'ports');
  const faults: FieldFault[] = [];
  if (ports.length === 0 && address !== 'None' && type !== 'ExternalName')
    faults.push(fault.required('spec.ports'));
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const field = `spec.ports[${index}]`;
    const name = textAt(port, 'name');
    if (name === '' && ports.length > 1) faults.push(fault.required(`${field}.name`));
    else if (name !== '' && names.has(name)) faults.push(fault.duplicate(`${field}.name`, name));
    names.add(name);
    const number = numberAt(port, 'port') ?? 0;
    if (number < 1 || number > 65_535)
      faults.push(fault.invalid(`${field}.port`, number, 'must be between 1 and 65535, inclusive'));
    const key = `${number}/${textAt(port, 'protocol')}`;
    if (numbers.has(key)) faults.push(fault.duplicate(field, port));
    numbers.add(key);
  }
  return faults;
}

export const serviceStrategy: Strategy = {
  generation: 'none',
  nameRule: 'label-1035',
  unconditionalUpdate: true,
  prepareCreate(draft, context) {
    const spec = jsonAt(draft, 'spec');
    draft.spec = spec;
    specDefaults(spec);
    if (textAt(spec, 'clusterIP') === '') allocate(spec, context);
    else spec.clusterIPs = [spec.clusterIP];
    draft.status = { loadBalancer: {} };
  },
  prepareUpdate(draft, old, context) {
    const spec = jsonAt(draft, 'spec');
    draft.spec = spec;
    specDefaults(spec);
    // A replace that leaves the address out keeps the one that was given.
    if (textAt(spec, 'clusterIP') === '') spec.clusterIP = textAt(old.spec, 'clusterIP');
    allocate(spec, context);
  },
  validate: faultsOf,
};
