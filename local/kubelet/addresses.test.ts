import type { Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { claimBlock, closeServer, PodAddresses, tryListen } from './addresses.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function block() {
  const claimed = await claimBlock();
  if (claimed === undefined) throw new Error('no block of loopback addresses is free');
  ends.push(() => claimed.release());
  return claimed;
}

test('each cluster of a machine has a block of its own, free again after its end', async () => {
  const first = await block();
  const second = await block();
  expect(second.podPrefix).not.toBe(first.podPrefix);
  await first.release();
  ends.shift();
  expect((await block()).podPrefix).not.toBe(second.podPrefix);
});

test('every pod has its own address and the ports of its spec', async () => {
  const { podPrefix } = await block();
  const addresses = new PodAddresses(podPrefix);
  const ports = [{ name: 'http', containerPort: 8080 }];
  const first = await addresses.allocate(ports);
  const second = await addresses.allocate(ports);
  expect(first).toEqual({ ip: expect.stringMatching(`^${podPrefix}\\.`), ownPorts: undefined });
  expect(second.ip).not.toBe(first.ip);
});

test('a pod whose port a stranger holds gets ports of its own, and says which', async () => {
  const { podPrefix } = await block();
  const stranger = (await tryListen(`${podPrefix}.0.1`, 0)) as Server;
  ends.push(() => closeServer(stranger));
  const { port } = stranger.address() as { port: number };
  const { ip, ownPorts } = await new PodAddresses(podPrefix).allocate([
    { name: 'http', containerPort: port },
    { containerPort: port + 1 },
  ]);
  expect(ip).toBe(`${podPrefix}.0.1`);
  expect(Object.keys(ownPorts ?? {}).sort()).toEqual([String(port + 1), 'http'].sort());
  expect(ownPorts?.http).not.toBe(port);
});

test('without a block every pod is at 127.0.0.1 with ports of its own, given back at its end', async () => {
  const addresses = new PodAddresses(undefined);
  const ports = [
    { name: 'http', containerPort: 8080 },
    { name: 'ops', containerPort: 8081 },
  ];
  const all = await Promise.all([1, 2, 3].map(() => addresses.allocate(ports)));
  expect(new Set(all.map(({ ip }) => ip))).toEqual(new Set(['127.0.0.1']));
  expect(new Set(all.flatMap(({ ownPorts }) => Object.values(ownPorts ?? {}))).size).toBe(6);
});
