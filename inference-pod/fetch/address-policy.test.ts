import { describe, expect, test } from '@jest/globals';
import { createAddressPolicy } from './address-policy.ts';

const policy = createAddressPolicy([]);

describe('denied', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '::7f00:1',
    '[::1]',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'not an address',
    '',
  ])('%s', (address) => expect(policy(address)).toBe(false));
});

describe('allowed', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.128.0.1',
    '172.32.0.1',
    '192.169.0.1',
    '2606:4700::1111',
    '::ffff:8.8.8.8',
  ])('%s', (address) => expect(policy(address)).toBe(true));
  test('ranges that were named, and no others', () => {
    const open = createAddressPolicy(['10.20.0.0/16', 'fd00:1::/32']);
    expect(open('10.20.3.4')).toBe(true);
    expect(open('::ffff:10.20.3.4')).toBe(true);
    expect(open('10.21.0.1')).toBe(false);
    expect(open('fd00:1::9')).toBe(true);
    expect(open('fd00:2::9')).toBe(false);
    expect(open('127.0.0.1')).toBe(false);
  });
});
