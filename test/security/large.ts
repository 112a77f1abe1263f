/** A model with more than 2 GB of weights, from a volume: copied, checked and served without ever being in memory. */
import { closeSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { externalTable } from '../../inference-pod/testing/external.ts';
import { makePodDirectory, type PodProcess, spawnPod, until } from '../../inference-pod/testing/pod.ts';

/** What the large model cost. */
export interface LargeOutcome {
  readonly gigabytes: number;
  readonly fetchSeconds: number;
  readonly fetchPeakMb: number;
  readonly readySeconds: number;
  readonly servePeakMb: number;
  /** The last row of the table, which was asked for. */
  readonly answer: string;
}

const watchPeak = (pod: PodProcess) => {
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const text = readFileSync(`/proc/${pod.child.pid}/status`, 'utf8');
      // What is mapped from the file can be given back at any time: it is no memory that the pod holds.
      peak = Math.max(peak, Number(/^RssAnon:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  }, 20);
  return () => {
    clearInterval(timer);
    return peak;
  };
};

/** Makes a table of 2.2 GB, mostly a hole in its file, fetches it from a claim and asks for its last row. */
export const serveLarge = async (): Promise<LargeOutcome> => {
  const rows = 275_000_000;
  const bytes = rows * 8;
  const directory = makePodDirectory();
  directory.writeLiveConfig({});
  const claim = join(directory.root, 'claim');
  writeFileSync(join(claim, 'model.onnx'), externalTable({ location: 'w.bin' }, rows));
  writeFileSync(join(claim, 'w.bin'), '');
  truncateSync(join(claim, 'w.bin'), bytes);
  const file = openSync(join(claim, 'w.bin'), 'r+');
  writeSync(file, Buffer.from(Float32Array.of(1.5, 2.5).buffer), 0, 8, bytes - 8);
  closeSync(file);
  const env = {
    ...directory.env,
    BALLAST_MODEL_URI: 'pvc://claim/model.onnx',
    BALLAST_MEMORY_LIMIT_BYTES: String(8 * 2 ** 30),
    BALLAST_HANG_LIMIT_MS: '60000',
  };
  try {
    const from = performance.now();
    const fetching = spawnPod('fetch', env);
    const fetchPeak = watchPeak(fetching);
    const { code } = await fetching.exited;
    if (code !== 0) throw new Error(`fetch ended with ${code}:\n${fetching.log()}`);
    const fetchSeconds = (performance.now() - from) / 1000;
    const startedAt = performance.now();
    const pod = spawnPod('serve', env);
    const servePeak = watchPeak(pod);
    try {
      const { http, ops } = await pod.ports();
      await until(
        async () => (await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => undefined))?.status === 200,
        120_000,
      );
      const readySeconds = (performance.now() - startedAt) / 1000;
      const answer = await fetch(`http://127.0.0.1:${http}/v2/models/m/infer`, {
        method: 'POST',
        body: `{"inputs":[{"name":"i","shape":[1],"datatype":"INT64","data":[${rows - 1}]}]}`,
      });
      const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
      return {
        gigabytes: bytes / 1e9,
        fetchSeconds,
        fetchPeakMb: fetchPeak(),
        readySeconds,
        servePeakMb: servePeak(),
        answer: JSON.stringify(outputs[0]?.data),
      };
    } finally {
      pod.child.kill('SIGKILL');
      await pod.exited;
    }
  } finally {
    directory.remove();
  }
};
