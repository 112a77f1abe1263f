/** Checks of Services, endpoints, network policies and Ingresses. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../../crds/structural/field-error.ts';
import { isIPv4, isIPv6 } from '../../../../crds/structural/formats.ts';
import { isObject, type JsonObject } from '../../../../crds/structural/schema-node.ts';
import { objectAt, objectsAt, textAt } from '../defaults/access.ts';
import {
  isBlank,
  labelErrors,
  labelProblems,
  portErrors,
  portOrNameErrors,
  selectorErrors,
  subdomainProblems,
} from './names.ts';

const addressText = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const isAddress = (text: string) => isIPv4(text) || isIPv6(text);

function servicePortErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const ports = objectsAt(spec, 'ports');
  const names = new Set<string>();
  const numbers = new Set<string>();
  const type = textAt(spec, 'type');
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`;
    const name = textAt(port, 'name');
    if (name === '' && ports.length > 1) errors.push(required(`${at}.name`));
    else if (name !== '') {
      errors.push(...labelProblems(name).map((problem) => invalid(`${at}.name`, name, problem)));
      if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    errors.push(...portErrors(port.port, `${at}.port`));
    if (port.targetPort !== undefined) errors.push(...portOrNameErrors(port.targetPort, `${at}.targetPort`));
    if (typeof port.nodePort === 'number' && port.nodePort !== 0 && (type === 'ClusterIP' || type === ''))
      errors.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    const number = `${textAt(port, 'protocol')}/${String(port.port)}`;
    if (numbers.has(number))
      errors.push(
        duplicate(at, {
          Name: '',
          Protocol: port.protocol,
          AppProtocol: null,
          Port: port.port,
          TargetPort: 0,
          NodePort: 0,
        }),
      );
    numbers.add(number);
  });
  return errors;
}

function serviceErrors(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const [type, clusterIP] = [textAt(spec, 'type'), textAt(spec, 'clusterIP')];
  if (objectsAt(spec, 'ports').length === 0 && clusterIP !== 'None' && type !== 'ExternalName')
    errors.push(required('spec.ports'));
  if (type === 'ExternalName') {
    const name = textAt(spec, 'externalName');
    if (name === '') errors.push(required('spec.externalName'));
    else
      errors.push(
        ...subdomainProblems(name.replace(/\.$/, '')).map((problem) =>
          invalid('spec.externalName', name, problem),
        ),
      );
    if (clusterIP !== '' && clusterIP !== 'None')
      errors.push(forbidden('spec.clusterIPs', "may not be set when `type` is 'ExternalName'"));
  } else if (clusterIP !== '' && clusterIP !== 'None' && !isAddress(clusterIP))
    errors.push(invalid('spec.clusterIPs[0]', clusterIP, addressText));
  if (type === 'LoadBalancer' && clusterIP === 'None')
    errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  errors.push(...servicePortErrors(spec), ...labelErrors(spec.selector, 'spec.selector'));
  const old = textAt(before, 'clusterIP');
  const kept = textAt(before, 'type') !== 'ExternalName' && type !== 'ExternalName';
  if (old !== '' && kept && clusterIP !== old)
    errors.push(
      invalid('spec.clusterIPs[0]', clusterIP === '' ? [] : [clusterIP], 'may not change once set'),
    );
  return errors;
}

function sliceErrors(object: JsonObject, old: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const type = textAt(object, 'addressType');
  const names = new Set<string>();
  objectsAt(object, 'ports').forEach((port, index) => {
    const name = textAt(port, 'name');
    if (name !== '') errors.push(...labelProblems(name).map((p) => invalid(`ports[${index}].name`, name, p)));
    if (names.has(name)) errors.push(duplicate(`ports[${index}].name`, name));
    names.add(name);
  });
  objectsAt(object, 'endpoints').forEach((endpoint, index) => {
    const addresses = Array.isArray(endpoint.addresses) ? (endpoint.addresses as unknown[]) : [];
    if (addresses.length === 0)
      errors.push(required(`endpoints[${index}].addresses`, 'must contain at least 1 address'));
    if (addresses.length > 100)
      errors.push(invalid(`endpoints[${index}].addresses`, addresses.length, 'must have at most 100 items'));
    // A real server refuses loopback addresses here; pods of the embedded cluster have no others.
    if (type === 'IPv4' || type === 'IPv6')
      addresses.forEach((address, place) => {
        const text = String(address);
        const at = `endpoints[${index}].addresses[${place}]`;
        if (!isAddress(text)) errors.push(invalid(at, text, addressText));
        else if (isIPv4(text) !== (type === 'IPv4'))
          errors.push(invalid(at, text, `must be an ${type} address`));
      });
  });
  if (isObject(old) && old.addressType !== object.addressType)
    errors.push(invalid('addressType', type, 'field is immutable'));
  return errors;
}

function endpointsErrors(object: JsonObject): FieldError[] {
  return objectsAt(object, 'subsets').flatMap((subset, index) => {
    const at = `subsets[${index}]`;
    const errors: FieldError[] = [];
    const ports = objectsAt(subset, 'ports');
    if (objectsAt(subset, 'addresses').length + objectsAt(subset, 'notReadyAddresses').length === 0)
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    for (const list of ['addresses', 'notReadyAddresses'])
      objectsAt(subset, list).forEach((address, place) => {
        const ip = textAt(address, 'ip');
        if (!isAddress(ip)) errors.push(invalid(`${at}.${list}[${place}].ip`, ip, addressText));
      });
    ports.forEach((port, place) => {
      const name = textAt(port, 'name');
      if (name === '' && ports.length > 1) errors.push(required(`${at}.ports[${place}].name`));
      else if (name !== '')
        errors.push(...labelProblems(name).map((p) => invalid(`${at}.ports[${place}].name`, name, p)));
      errors.push(...portErrors(port.port, `${at}.ports[${place}].port`));
    });
    return errors;
  });
}

/** An address and the length of its prefix, at most 32 bits of IPv4 and 128 of IPv6. */
function isCidr(text: string): boolean {
  const match = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text);
  const [, address = '', bits] = match ?? [];
  return isIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && Number(bits) <= 128;
}

const cidrText = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function policyErrors(spec: JsonObject): FieldError[] {
  const errors = selectorErrors(spec.podSelector, 'spec.podSelector');
  for (const [rules, peers] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const)
    objectsAt(spec, rules).forEach((rule, index) => {
      objectsAt(rule, 'ports').forEach((port, place) => {
        const at = `spec.${rules}[${index}].ports[${place}]`;
        if (port.port !== undefined) errors.push(...portOrNameErrors(port.port, `${at}.port`));
        if (typeof port.endPort !== 'number') return;
        if (port.port === undefined)
          errors.push(
            invalid(`${at}.endPort`, port.endPort, 'may not be specified when `port` is not specified'),
          );
        else if (typeof port.port === 'number' && port.endPort < port.port)
          errors.push(invalid(`${at}.endPort`, port.port, 'must be greater than or equal to `port`'));
      });
      objectsAt(rule, peers).forEach((peer, place) => {
        const at = `spec.${rules}[${index}].${peers}[${place}]`;
        const block = objectAt(peer, 'ipBlock');
        const selects = isObject(peer.podSelector) || isObject(peer.namespaceSelector);
        if (block === undefined && !selects) errors.push(required(at, 'must specify a peer'));
        if (block !== undefined && selects)
          errors.push(forbidden(at, 'may not specify both ipBlock and another peer'));
        errors.push(
          ...selectorErrors(peer.podSelector, `${at}.podSelector`),
          ...selectorErrors(peer.namespaceSelector, `${at}.namespaceSelector`),
        );
        const cidr = textAt(block, 'cidr');
        if (block !== undefined && !isCidr(cidr)) errors.push(invalid(`${at}.ipBlock.cidr`, cidr, cidrText));
      });
    });
  const types = Array.isArray(spec.policyTypes) ? (spec.policyTypes as unknown[]) : [];
  if (types.length > 2)
    errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  else
    types.forEach((type, index) => {
      if (type !== 'Ingress' && type !== 'Egress')
        errors.push(notSupported(`spec.policyTypes[${index}]`, type, ['Ingress', 'Egress']));
    });
  return errors;
}

function ingressErrors(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const rules = objectsAt(spec, 'rules');
  if (rules.length === 0 && !isObject(spec.defaultBackend))
    errors.push(invalid('spec', null, 'either `defaultBackend` or `rules` must be specified'));
  rules.forEach((rule, index) => {
    const host = textAt(rule, 'host');
    if (host !== '')
      errors.push(
        ...subdomainProblems(host.replace(/^\*\./, '')).map((p) =>
          invalid(`spec.rules[${index}].host`, host, p),
        ),
      );
    objectsAt(objectAt(rule, 'http'), 'paths').forEach((path, place) => {
      const at = `spec.rules[${index}].http.paths[${place}]`;
      const text = textAt(path, 'path');
      if (isBlank(path.pathType)) {
        errors.push(required(`${at}.pathType`, 'pathType must be specified'));
        return;
      }
      if (path.pathType !== 'ImplementationSpecific' && !text.startsWith('/'))
        errors.push(invalid(`${at}.path`, text, 'must be an absolute path'));
      const backend = objectAt(path, 'backend');
      const service = objectAt(backend, 'service');
      if (service === undefined && objectAt(backend, 'resource') === undefined)
        errors.push(invalid(`${at}.backend`, '', 'resource or service backend is required'));
      if (service !== undefined && isBlank(service.name)) errors.push(required(`${at}.backend.service.name`));
    });
  });
  return errors;
}

/** Errors of a kind of the network; undefined for other kinds. */
export function networkErrors(kind: string, object: JsonObject, old: unknown): FieldError[] | undefined {
  const spec = objectAt(object, 'spec') ?? {};
  switch (kind) {
    case 'Service':
      return serviceErrors(spec, objectAt(old, 'spec'));
    case 'EndpointSlice':
      return sliceErrors(object, old);
    case 'Endpoints':
      return endpointsErrors(object);
    case 'NetworkPolicy':
      return policyErrors(spec);
    case 'Ingress':
      return ingressErrors(spec);
    default:
      return undefined;
  }
}
