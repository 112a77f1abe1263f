/** One model's port in front of stub pods, all on the loopback address. */
import { type Agent, request } from 'node:http';
import { Deadlines } from '../../queue/deadlines.ts';
import { until as untilThere } from '../../test/until.ts';
import type { PodAddress } from '../balance/address.ts';
import type { GateLimits, GateRoute } from '../gate-options.ts';
import type { ModelPort } from '../http/port.ts';
import { ModelGate } from '../model-gate.ts';
import { networkTransports, portOf } from '../model-port.ts';
import { ByteBudget } from '../queue/bytes.ts';

export const route = (changes: Partial<GateRoute> = {}): GateRoute => ({
  port: 0,
  backends: [{ revision: 'a', weight: 1 }],
  headers: [],
  timeoutMs: 5_000,
  targetsMs: [],
  shedMs: undefined,
  wake: undefined,
  ...changes,
});

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AskOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent | false;
  readonly signal?: AbortSignal;
}

export const inferPath = '/v2/models/m/infer';

/** Sends one request and reads the whole answer. */
export const ask = (port: number, options: AskOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const {
      host = '127.0.0.1',
      path = inferPath,
      method = 'POST',
      headers = {},
      body = '{}',
      agent = false,
      signal,
    } = options;
    const outgoing = request(
      { host, port, path, method, headers, agent, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(method === 'GET' || method === 'HEAD' ? undefined : body);
  });

export interface Rig {
  readonly gate: ModelGate;
  readonly port: ModelPort;
  /** How often requests waited and no pod was there. */
  readonly wanted: () => number;
  setClosing(): void;
  close(): void;
}

export async function startRig(
  pods: Readonly<Record<string, readonly PodAddress[]>>,
  changes: Partial<GateRoute> = {},
  limits: Partial<GateLimits> = {},
  onWanted: (gate: ModelGate) => void = () => undefined,
  budget = new ByteBudget(64_000_000, 32_000_000),
  unread = new ByteBudget(32_000_000, 16_000_000),
): Promise<Rig> {
  let wanted = 0;
  let isClosing = false;
  const nowMs = () => performance.now();
  const gate: ModelGate = new ModelGate({
    model: 'm',
    deadlines: new Deadlines(nowMs),
    bytes: budget.share(),
    unread: unread.share(),
    transports: networkTransports,
    limits: { maxWaiting: 100, maxHoldMs: 10_000, ...limits },
    nowMs,
    wanted: () => {
      wanted += 1;
      onWanted(gate);
    },
  });
  gate.setRoute(
    route({ backends: Object.keys(pods).map((revision) => ({ revision, weight: 1 })), ...changes }),
  );
  for (const [revision, addresses] of Object.entries(pods)) gate.setPods(revision, addresses);
  const port = portOf(gate, { maxConnections: 4096 }, () => isClosing);
  await port.listen('127.0.0.1', 0);
  return {
    gate,
    port,
    wanted: () => wanted,
    setClosing: () => {
      isClosing = true;
    },
    close: () => {
      gate.close();
      port.destroy();
    },
  };
}

/** Resolves when the condition holds, asked every few milliseconds; rejects after a while. */
export const until = (what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000) =>
  untilThere(what, holds, limitMs, 2);
