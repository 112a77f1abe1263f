/** The pod's metrics for Prometheus; labels are bound once, so that counting costs well under a microsecond. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Gauges that are read when Prometheus asks. */
export interface GaugeReadings {
  queueLength(): number;
  inFlight(): number;
  bytesHeld(): number;
  ready(): boolean;
  busySeconds(): number;
}

export interface PodMetrics {
  requestAnswered(status: number, seconds: number): void;
  waited(seconds: number): void;
  batchRun(rows: number, seconds: number): void;
  setModel(fields: { model: string; version: string; revision: string; sha256: string }): void;
  text(): Promise<string>;
  readonly contentType: string;
}

/** Registers all metrics in a registry of their own. */
export const createMetrics = (readings: GaugeReadings): PodMetrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'ballast_requests_total',
    help: 'Infer requests answered, by HTTP status.',
    labelNames: ['code'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'ballast_request_duration_seconds',
    help: 'From the arrival of an infer request to the end of its answer.',
    buckets: latencyBuckets,
    registers,
  });
  const wait = new Histogram({
    name: 'ballast_queue_wait_seconds',
    help: 'How long requests waited for the runner.',
    buckets: latencyBuckets,
    registers,
  });
  const batchRows = new Histogram({
    name: 'ballast_batch_rows',
    help: 'Rows per batch.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const runs = new Histogram({
    name: 'ballast_run_duration_seconds',
    help: 'How long onnxruntime ran one batch.',
    buckets: [0.0001, 0.00025, 0.0005, ...latencyBuckets],
    registers,
  });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('ballast_queue_length', 'Requests that wait for the runner.', readings.queueLength);
  gauge('ballast_in_flight_requests', 'Infer requests that are not answered yet.', readings.inFlight);
  gauge('ballast_held_bytes', 'Bytes of request bodies that are held.', readings.bytesHeld);
  gauge('ballast_ready', '1 when the pod takes requests.', () => (readings.ready() ? 1 : 0));
  new Counter({
    name: 'ballast_runner_busy_seconds_total',
    help: 'Time in which the runner was busy.',
    registers,
    collect() {
      this.reset();
      this.inc(readings.busySeconds());
    },
  });
  const model = new Gauge({
    name: 'ballast_model_info',
    help: 'The model that is served; the value is always 1.',
    labelNames: ['model', 'version', 'revision', 'sha256'] as const,
    registers,
  });
  const byCode = new Map<number, Counter.Internal>();
  return {
    requestAnswered: (status, seconds) => {
      let counter = byCode.get(status);
      if (counter === undefined) {
        counter = requests.labels(String(status));
        byCode.set(status, counter);
      }
      counter.inc();
      duration.observe(seconds);
    },
    waited: (seconds) => wait.observe(seconds),
    batchRun: (rows, seconds) => {
      batchRows.observe(rows);
      runs.observe(seconds);
    },
    setModel: (fields) => model.set(fields, 1),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
};
