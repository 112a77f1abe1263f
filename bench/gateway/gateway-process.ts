/** Gateways of ours in one process, in front of pods whose ports are given: all of the data plane, without an API server. */
import type { PodAddress } from '../../gateway/balance/address.ts';
import { ModelGate } from '../../gateway/model-gate.ts';
import { networkTransports, portOf } from '../../gateway/model-port.ts';
import { ByteBudget } from '../../gateway/queue/bytes.ts';
import { Deadlines } from '../../queue/deadlines.ts';

const [, , ports = '', podPorts = '', slots = '1'] = process.argv;
const nowMs = () => performance.now();
const addresses = podPorts.split(',').map(
  (port): PodAddress => ({
    key: `127.0.0.1:${port}`,
    name: port,
    http: { host: '127.0.0.1', port: Number(port) },
    grpc: { host: '127.0.0.1', port: Number(port) },
    ops: undefined,
    ready: true,
  }),
);
const deadlines = new Deadlines(nowMs);
const gateways = ports.split(',').map(Number);
for (const [rank, port] of gateways.entries()) {
  const gate = new ModelGate({
    model: 'bench',
    deadlines,
    bytes: new ByteBudget(256e6, 256e6).share(),
    unread: new ByteBudget(128e6, 128e6).share(),
    transports: networkTransports,
    limits: { maxWaiting: 100_000, maxHoldMs: 60_000 },
    nowMs,
    wanted: () => undefined,
  });
  gate.setRoute({
    port,
    backends: [{ revision: 'a', weight: 1 }],
    headers: [],
    timeoutMs: 30_000,
    targetsMs: [],
    shedMs: undefined,
    wake: undefined,
  });
  gate.setPeers({ rank, count: gateways.length });
  gate.setPods('a', addresses);
  for (const { ready } of gate.pools) for (const pod of ready) pod.slots = Number(slots);
  await portOf(gate, { maxConnections: 10_000 }, () => false).listen('127.0.0.1', port);
}
