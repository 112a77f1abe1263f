/** What the operator tells the gateways of one model: key `routes.json` of the ConfigMap `‹name›-routes`. Versioned. */
import { z } from 'zod';
import { maxNameLength } from './constants.ts';

/** The key in the ConfigMap, and the label that gateways select by. */
export const routesKey = 'routes.json';
export const routesLabel = 'ballast.dev/routes';

/** Ports of models at the gateway: one each, unique in a namespace. */
export const gatewayPorts = { first: 20_000, last: 29_999 } as const;

export interface RouteBackend {
  /** Revision hash. */
  readonly revision: string;
  /** Its headless Service: its EndpointSlices hold the pods, with the ports `http`, `grpc` and `ops`. */
  readonly service: string;
  readonly deployment: string;
  /** Share of the requests, 0 to 10,000; only the ratio to the others counts. */
  readonly weight: number;
}

export interface GatewayRoutes {
  readonly version: 1;
  /** Name of the ModelDeployment. */
  readonly model: string;
  /** The gateway's port of this model: HTTP/1.1 and HTTP/2 (gRPC) are told apart by their first bytes. */
  readonly port: number;
  readonly backends: readonly RouteBackend[];
  /** Copies of requests for a revision, percent of all. */
  readonly mirror?: { readonly revision: string; readonly percent: number } | undefined;
  /** Requests with this header go to that revision, whatever the weights. */
  readonly headers?:
    | readonly { readonly name: string; readonly value: string; readonly revision: string }[]
    | undefined;
  /** `traffic.timeout` or its default, milliseconds. */
  readonly timeoutMs: number;
  readonly shedAt: 'Timeout' | 'SLA';
  readonly latency: readonly { readonly percentile: string; readonly targetMs: number }[];
  /** With scale to zero: whom the gateway asks for a first pod, and how many requests may wait for it. */
  readonly wake?:
    | { readonly deployment: string; readonly maxHeldRequests: number; readonly replicas: 1 }
    | undefined;
}

const name = z.string().min(1).max(253);
const revision = z.string().min(1).max(63);

const gatewayRoutes = z.object({
  version: z.literal(1),
  model: z.string().min(1).max(maxNameLength),
  port: z.int().min(1).max(65_535),
  backends: z
    .array(z.object({ revision, service: name, deployment: name, weight: z.int().min(0).max(10_000) }))
    .min(1)
    .max(100)
    .refine(
      (backends) => new Set(backends.map((one) => one.revision)).size === backends.length,
      'a revision is there twice',
    ),
  mirror: z.object({ revision, percent: z.number().min(0).max(100) }).optional(),
  headers: z
    .array(
      z.object({
        name: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/),
        value: z.string().max(4_096),
        revision,
      }),
    )
    .max(100)
    .optional(),
  timeoutMs: z.number().min(1).max(3_600_000),
  shedAt: z.enum(['Timeout', 'SLA']),
  latency: z
    .array(z.object({ percentile: z.string().max(16), targetMs: z.number().positive().max(3_600_000) }))
    .max(16),
  wake: z
    .object({
      deployment: name,
      maxHeldRequests: z.int().min(0).max(1_000_000),
      replicas: z.literal(1),
    })
    .optional(),
});

export type ParsedRoutes = { readonly routes: GatewayRoutes } | { readonly refused: string };

/** The routes in a ConfigMap's value, or why they are none. Fields that this version does not know are left out. */
export function parseRoutes(text: string | undefined): ParsedRoutes {
  if (text === undefined) return { refused: `there is no key ${routesKey}` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { refused: `${routesKey} is no JSON` };
  }
  const parsed = gatewayRoutes.safeParse(json);
  if (parsed.success) return { routes: parsed.data };
  const issue = parsed.error.issues[0];
  return { refused: `${issue?.path.join('.') || routesKey}: ${issue?.message ?? 'not valid'}` };
}
