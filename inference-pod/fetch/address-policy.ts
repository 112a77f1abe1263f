/** Which addresses a model may be fetched from: the public internet, and what the operator allows by name. */
import { BlockList, isIP } from 'node:net';
import { specialIpv4, specialIpv6 } from '../../crds/special-addresses.ts';

const blockListOf = (cidrs: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix = ''] = cidr.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
};

const denied = blockListOf([...specialIpv4, ...specialIpv6]);

/** An IPv4 address inside an IPv6 one (`::ffff:127.0.0.1`, also in hex), or undefined. */
const mappedIPv4 = (address: string): string | undefined => {
  const match = /^(?:::ffff:|::ffff:0:|::)(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (match?.[1] !== undefined) return match[1];
  const hex = /^(?:::ffff:|::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (hex === null) return undefined;
  const high = Number.parseInt(hex[1] ?? '', 16);
  const low = Number.parseInt(hex[2] ?? '', 16);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
};

/** Says whether a connection to an address may be made. */
export type AddressPolicy = (address: string) => boolean;

/** The policy with the ranges that were allowed on purpose. */
export const createAddressPolicy = (allowCidrs: readonly string[]): AddressPolicy => {
  const allowed = blockListOf(allowCidrs);
  const check = (address: string): boolean => {
    const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
    const family = isIP(plain);
    if (family === 0) return false;
    const mapped = family === 6 ? mappedIPv4(plain) : undefined;
    if (mapped !== undefined) return check(mapped);
    const type = family === 6 ? 'ipv6' : 'ipv4';
    return allowed.check(plain, type) || !denied.check(plain, type);
  };
  return check;
};
