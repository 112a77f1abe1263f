/**
 * Addresses that are no public internet: loopback, private, link-local with the clouds' metadata services, NAT64 and the
 * like (IANA's special-purpose registries). No model is fetched from them, and a Restricted NetworkPolicy closes them.
 */
export const specialIpv4: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** IPv4-mapped addresses (`::ffff:0:0/96`) are not listed: they never are on the wire, and a real API server refuses them. */
export const specialIpv6: readonly string[] = [
  '::/128',
  '::1/128',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];
