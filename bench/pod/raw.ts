/** The limit: onnxruntime called in a loop by Node, on the servers' core. Arguments: model, batch sizes, seconds; a row on stdin. */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { BenchModel } from './models.ts';

const [model, batches, seconds] = JSON.parse(process.argv[2] ?? '') as [BenchModel, number[], number];
const { row } = JSON.parse(readFileSync(0, 'utf8')) as { row: number[] };
process.env.ORT_DISABLE_TELEMETRY = '1';
const session = await InferenceSession.create(model.path, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
});
const input = session.inputNames[0] ?? '';
const output = session.outputNames[0] ?? '';
const rates: Record<number, number> = {};
for (const batch of batches) {
  const values = Array.from({ length: batch }, () => row).flat();
  const shape = [batch, ...model.input.row];
  const tensor =
    model.input.datatype === 'FP32'
      ? new Tensor('float32', Float32Array.from(values), shape)
      : new Tensor('int32', Int32Array.from(values), shape);
  const feeds = { [input]: tensor };
  await session.run(feeds, [output]);
  let runs = 0;
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1_000) {
    await session.run(feeds, [output]);
    runs += 1;
  }
  rates[batch] = (runs * batch * 1_000) / (performance.now() - startMs);
}
console.log(JSON.stringify({ rowsPerSecond: rates }));
