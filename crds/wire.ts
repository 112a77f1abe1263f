/** What operator and pods say to each other over HTTP. Versioned: a frozen pod meets newer operators. */

/**
 * `GET /load` on the ops port: cumulative counters since `startedAtMs`, gauges of now, and the last two minutes; with
 * `?sinceMs=UPTIME` only the seconds that ended after that time on this pod's clock (older pods tell all).
 */
export interface LoadReport {
  readonly version: 1;
  /** Random per process: a change means that every counter started anew. */
  readonly instance: string;
  /** Process start, milliseconds since the epoch by the pod's wall clock (for people, never for arithmetic). */
  readonly startedAtMs: number;
  /** Pod's monotonic clock at this reading, milliseconds since process start. */
  readonly uptimeMs: number;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly revision: string;
  readonly modelSha256: string;
  /** How many requests are served at once without waiting (1 runner, so 1 batch; here in requests). */
  readonly parallelism: number;
  /** Requests of the batch that the pod aims at; 1 without batching. A gateway keeps the pod busy by it. Absent in older pods. */
  readonly batchRequests?: number | undefined;
  /** Milliseconds that one request takes alone and that a usual batch of `requests` takes. Absent without batching, and in older pods. */
  readonly batch?: BatchCosts | undefined;
  readonly counters: LoadCounters;
  readonly queueLength: number;
  readonly inFlight: number;
  /** Age of the oldest waiting request, milliseconds; 0 with an empty queue. */
  readonly oldestWaitMs: number;
  readonly latency: LatencyHistogram;
  /** Oldest first, one entry per finished second, at most 120; idle seconds are present with zeros. */
  readonly seconds: readonly LoadSecond[];
}

export interface BatchCosts {
  readonly requests: number;
  readonly oneMs: number;
  readonly fullMs: number;
}

export interface LoadCounters {
  /** Infer requests whose headers arrived, admitted or not: the offered load. */
  readonly arrivals: number;
  /** Answered 2xx. */
  readonly succeeded: number;
  /** Answered 4xx other than 429: the client's own mistakes; counted neither as served nor as failed. */
  readonly clientErrors: number;
  /** Answered 429, 503 or 504: refused or too late. */
  readonly rejected: number;
  /** Answered any other 5xx. */
  readonly failed: number;
  /** Integral of the time in which the runner was busy, seconds. */
  readonly busySeconds: number;
  /** Service times (runner time per request, waiting excluded): how many, their sum and sum of squares in seconds. */
  readonly serviceCount: number;
  readonly serviceSumSeconds: number;
  readonly serviceSumSquares: number;
}

/** Counters of a process that was asked nothing yet. */
export const noCounters: LoadCounters = {
  arrivals: 0,
  succeeded: 0,
  clientErrors: 0,
  rejected: 0,
  failed: 0,
  busySeconds: 0,
  serviceCount: 0,
  serviceSumSeconds: 0,
  serviceSumSquares: 0,
};

/** Latency as the client saw it, from the first byte of the request to the end of the answer; 429/5xx included as +Inf. */
export interface LatencyHistogram {
  /** Upper bounds in milliseconds, ascending; the last bucket (+Inf) has no bound. */
  readonly boundsMs: readonly number[];
  /** Cumulative since process start, one more than bounds: counts[i] holds latencies in (bounds[i-1], bounds[i]]. */
  readonly counts: readonly number[];
}

/** What happened in one second of a pod's life. */
export interface LoadSecond {
  /** The second ended this long after process start, milliseconds. */
  readonly endMs: number;
  readonly arrivals: number;
  readonly completions: number;
  readonly busySeconds: number;
  readonly serviceCount: number;
  readonly serviceSumSeconds: number;
  readonly serviceSumSquares: number;
}

/** A second in which nothing happened, but for its end. */
export const idleSecond: Omit<LoadSecond, 'endMs'> = {
  arrivals: 0,
  completions: 0,
  busySeconds: 0,
  serviceCount: 0,
  serviceSumSeconds: 0,
  serviceSumSquares: 0,
};

/** `config.json` in the ConfigMap `‹name›-config`: what changes without a new pod. */
export interface LiveConfig {
  readonly version: 1;
  /** Longest wait for an answer, milliseconds (`spec.traffic.timeout` or its default). */
  readonly timeoutMs: number;
  /** The highest promised latency, milliseconds: a boundary of the latency histogram, so that violations are exact. */
  readonly slaLatencyMs: readonly number[];
  /** What bounds the wait of a request: the timeout, or with `SLA` the promised latency; absent: `Timeout`. */
  readonly shedAt?: 'Timeout' | 'SLA' | undefined;
  /** sha256 that each live revision must serve, by revision hash: pinned, or recorded from its first pod. */
  readonly digests: Readonly<Record<string, string>>;
  /** How the fetch container reaches model servers; absent: directly, public addresses only. */
  readonly fetch?: FetchConfig | undefined;
}

/** The network between a cluster and its model servers. A private CA lies beside it, as the file `ca.pem`. */
export interface FetchConfig {
  /** Proxy for `https://` and for `http://` addresses: `http://host:port` or `https://host:port`. */
  readonly httpsProxy?: string | undefined;
  readonly httpProxy?: string | undefined;
  /** Hosts that are asked directly: names with their subdomains, addresses, ranges, `*`. */
  readonly noProxy?: readonly string[] | undefined;
  /** Private ranges in which model servers may be. */
  readonly allowModelCidrs?: readonly string[] | undefined;
}

/** The fetch container's termination message. */
export interface FetchManifest {
  /** Of the file behind the URI; of the list of files (as `sha256sum` writes it) when a model lies in several on a volume. */
  readonly sha256: string;
  readonly bytes: number;
  readonly uri: string;
}

/** `manifest.json` in the model's directory: what was fetched, whole and verified. */
export interface ModelManifest extends FetchManifest {
  /** The model's file, relative to the directory; default `model.onnx`. */
  readonly entry?: string;
  /** All files that belong to the model when it has several, relative to the directory. */
  readonly files?: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** Termination message of a container that ended for a reason it knows: one line of JSON. */
export interface TerminationMessage {
  readonly reason:
    | 'ModelNotFound'
    | 'ModelForbidden'
    | 'ModelTooLarge'
    | 'ModelInvalid'
    | 'ModelUnsupported'
    | 'DigestMismatch'
    | 'DigestMoved'
    | 'FetchFailed'
    | 'LoadFailed'
    | 'WarmUpFailed'
    | 'RunHung'
    | 'MemoryExceeded'
    | 'ContractInvalid'
    | 'ConfigInvalid';
  readonly message: string;
}
