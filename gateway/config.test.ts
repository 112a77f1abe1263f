import { expect, test } from '@jest/globals';
import { ConfigError, parseConfig } from './config.ts';

test('has a default for everything', () => {
  expect(parseConfig({})).toMatchObject({
    namespace: undefined,
    listenHost: '0.0.0.0',
    opsPort: 8081,
    maxWaiting: 4_096,
    maxHoldMs: 60_000,
    drainDelayMs: 5_000,
    inCluster: undefined,
  });
});

test('a quarter of the memory may hold bodies', () => {
  expect(parseConfig({ BALLAST_MEMORY_LIMIT_BYTES: '400000000' }).maxHeldBytes).toBe(100_000_000);
});

test.each([
  ['an unknown variable', { BALLAST_GATEWAY_MAX_WAIT: '1' }, 'unknown variable BALLAST_GATEWAY_MAX_WAIT'],
  ['no number', { BALLAST_OPS_PORT: 'x' }, 'BALLAST_OPS_PORT "x"'],
  ['a port that is none', { BALLAST_OPS_PORT: '70000' }, 'BALLAST_OPS_PORT "70000"'],
  ['no room at all', { BALLAST_GATEWAY_MAX_WAITING: '0' }, 'BALLAST_GATEWAY_MAX_WAITING "0"'],
])('refuses %s', (_name, environment, message) => {
  expect(() => parseConfig(environment)).toThrow(ConfigError);
  expect(() => parseConfig(environment)).toThrow(message);
});
