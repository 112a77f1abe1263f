/** The pod's metrics: what is counted per request costs well under a microsecond, the rest is read when somebody asks. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Format, familiesOfProcess, writeMetrics } from '../metrics/exposition.ts';
import { CounterFamily, type Family, HistogramFamily, InfoFamily, ReadFamily } from '../metrics/series.ts';

/** Seconds. Half a millisecond is what a small model needs, half a minute what nobody waits for. */
const latencyBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const runBounds = [0.00005, 0.0001, 0.00025, ...latencyBounds];
const rowBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** How fast the rows of the mean request follow what is asked now. */
const rowsWeight = 0.02;

/** Figures that are read when somebody asks; undefined is what is not known. */
export interface GaugeReadings {
  queueLength(): number;
  queueRows(): number;
  /** How long a request that came now would wait. */
  predictedWaitSeconds(): number | undefined;
  inFlight(): number;
  bytesHeld(): number;
  ready(): boolean;
  busySeconds(): number;
  /** What the model can do at its best batch, by its cost curve. */
  capacityRowsPerSecond(): number | undefined;
  /** The batch that the pod aims at. */
  targetBatchRows(): number | undefined;
  /** Arrivals per second of late, refused ones included. */
  arrivalsPerSecond(): number;
  memoryLimitBytes(): number | undefined;
}

/** One request at its end. */
export interface AnsweredRequest {
  readonly protocol: string;
  readonly status: number;
  readonly seconds: number;
  readonly rows: number;
  /** Why it was refused, in one word. */
  readonly reason?: string | undefined;
  /** Of a trace that somebody records. */
  readonly traceId?: string | undefined;
}

export interface PodMetrics {
  requestAnswered(request: AnsweredRequest): void;
  waited(seconds: number): void;
  batchRun(rows: number, seconds: number): void;
  /** A rule of `spec.contract` was broken `count` times by one request: tensor and rule are those of the ModelDeployment. */
  contractFinding(tensor: string, rule: string, action: string, count: number): void;
  setModel(fields: { model: string; version: string; revision: string; sha256: string }): void;
  setServer(version: string): void;
  text(format?: Format): Promise<string>;
  /** The pod's own families, without those of the process: for the reference page. */
  readonly families: readonly Family[];
}

/** The refusals that are not the caller's mistake, as the load report counts them too. */
const refusedBecause: Readonly<Record<number, string>> = {
  429: 'Overloaded',
  503: 'NotReady',
  504: 'DeadlinePassed',
};

/** Makes the metrics of one pod. */
export const createMetrics = (readings: GaugeReadings): PodMetrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const families: Family[] = [];
  const add = <T extends Family>(family: T): T => {
    families.push(family);
    return family;
  };
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    add(new ReadFamily('gauge', { name, help }, read));

  const requests = add(
    new CounterFamily({
      name: 'ballast_requests_total',
      help: 'Infer requests that ended, by HTTP status (of gRPC: the one its status stands for; 499: the caller left) and protocol.',
      labelNames: ['code', 'protocol'],
    }),
  );
  const rejected = add(
    new CounterFamily({
      name: 'ballast_rejected_total',
      help: 'Of these, the ones refused or given up for the pod’s sake (429, 503, 504), by reason.',
      labelNames: ['reason'],
    }),
  );
  const duration = add(
    new HistogramFamily({
      name: 'ballast_request_duration_seconds',
      help: 'From the arrival of an infer request to its answer, of those answered 200.',
      bounds: latencyBounds,
    }),
  );
  const wait = add(
    new HistogramFamily({
      name: 'ballast_queue_wait_seconds',
      help: 'How long requests waited for the runner.',
      bounds: latencyBounds,
    }),
  );
  const rows = add(
    new CounterFamily({ name: 'ballast_rows_total', help: 'Rows that the model ran.' }),
  ).cell();
  const batchRows = add(
    new HistogramFamily({ name: 'ballast_batch_rows', help: 'Rows per batch.', bounds: rowBounds }),
  );
  const runs = add(
    new HistogramFamily({
      name: 'ballast_run_duration_seconds',
      help: 'How long onnxruntime ran one batch; the count is the number of runs.',
      bounds: runBounds,
    }),
  );
  add(
    new ReadFamily(
      'counter',
      {
        name: 'ballast_runner_busy_seconds_total',
        help: 'Time in which the runner was busy: its rate is the busy share of the one runner.',
      },
      readings.busySeconds,
    ),
  );
  gauge(
    'ballast_capacity_rows_per_second',
    'Rows per second that the model can do at its best batch, by the measured cost of a batch.',
    readings.capacityRowsPerSecond,
  );
  let rowsPerRequest = 1;
  gauge(
    'ballast_utilisation_ratio',
    'Rows asked for per second, refused requests included, as a share of the capacity; above 1 the pod must refuse.',
    () => {
      const capacity = readings.capacityRowsPerSecond();
      return capacity === undefined ? undefined : (readings.arrivalsPerSecond() * rowsPerRequest) / capacity;
    },
  );
  gauge(
    'ballast_batch_target_rows',
    'Rows of the batch that the pod aims at: the smallest that comes close to the best rate; 1 when rows are not batched.',
    readings.targetBatchRows,
  );
  gauge('ballast_queue_length', 'Requests that wait for the runner.', readings.queueLength);
  gauge('ballast_queue_rows', 'Rows that wait for the runner.', readings.queueRows);
  gauge(
    'ballast_predicted_wait_seconds',
    'How long a request that came now would wait for the runner, by the cost of what is before it.',
    readings.predictedWaitSeconds,
  );
  gauge('ballast_in_flight_requests', 'Infer requests that are not answered yet.', readings.inFlight);
  gauge('ballast_held_bytes', 'Bytes of request bodies that are held.', readings.bytesHeld);
  gauge(
    'ballast_memory_limit_bytes',
    'Memory limit of the container; the pod ends itself at 90 % of it. What it uses is process_resident_memory_bytes.',
    readings.memoryLimitBytes,
  );
  gauge('ballast_ready', '1 when the pod takes requests.', () => (readings.ready() ? 1 : 0));
  const findings = add(
    new CounterFamily({
      name: 'ballast_contract_findings_total',
      help: 'Values that broke a rule of spec.contract, by tensor, rule and action (Reject, Flag).',
      labelNames: ['tensor', 'rule', 'action'],
    }),
  );
  const model = add(
    new InfoFamily({
      name: 'ballast_model_info',
      help: 'The model that is served; the value is always 1.',
      labelNames: ['model', 'version', 'revision', 'sha256'],
    }),
  );
  const server = add(
    new InfoFamily({
      name: 'ballast_pod_info',
      help: 'The version of the inference pod; the value is always 1.',
      labelNames: ['version'],
    }),
  );

  const byProtocol = new Map<string, Map<number, { value: number }>>();
  const cellOf = (protocol: string, status: number) => {
    let byCode = byProtocol.get(protocol);
    if (byCode === undefined) {
      byCode = new Map();
      byProtocol.set(protocol, byCode);
    }
    let cell = byCode.get(status);
    if (cell === undefined) {
      cell = requests.cell(String(status), protocol);
      byCode.set(status, cell);
    }
    return cell;
  };
  return {
    requestAnswered: ({ protocol, status, seconds, rows: rowsOfRequest, reason, traceId }) => {
      cellOf(protocol, status).value += 1;
      if (rowsOfRequest > 0) rowsPerRequest += rowsWeight * (rowsOfRequest - rowsPerRequest);
      if (status === 200) {
        if (traceId === undefined) duration.observe(seconds);
        else duration.observeTraced(seconds, traceId, Date.now() / 1000);
        return;
      }
      const because = refusedBecause[status];
      if (because !== undefined) rejected.cell(reason ?? because).value += 1;
    },
    waited: (seconds) => wait.observe(seconds),
    batchRun: (rowsOfBatch, seconds) => {
      rows.value += rowsOfBatch;
      batchRows.observe(rowsOfBatch);
      runs.observe(seconds);
    },
    contractFinding: (tensor, rule, action, count) => {
      findings.cell(tensor, rule, action).value += count;
    },
    setModel: (fields) => model.set(fields.model, fields.version, fields.revision, fields.sha256),
    setServer: (version) => server.set(version),
    text: async (format = 'prometheus') =>
      writeMetrics([...families, ...familiesOfProcess(await registry.getMetricsAsJSON())], format),
    families,
  };
};
