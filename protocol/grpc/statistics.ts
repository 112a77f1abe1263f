/** ModelStatisticsResponse, from the same figures that REST answers. */
import { WireWriter } from './wire-writer.ts';

interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** One model of `GET /v2/models/stats`; what is left out is not kept. */
export interface ModelStatistics {
  readonly name: string;
  readonly version?: string | undefined;
  readonly last_inference: number;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<string, Duration>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: Duration;
    readonly compute_infer: Duration;
    readonly compute_output: Duration;
  }[];
  readonly memory_usage?:
    | readonly { readonly type: string; readonly id: number; readonly byte_size: number }[]
    | undefined;
}

const inferenceFields = [
  'success',
  'fail',
  'queue',
  'compute_input',
  'compute_infer',
  'compute_output',
  'cache_hit',
  'cache_miss',
];

const writeDuration = (writer: WireWriter, field: number, duration: Duration | undefined) =>
  writer.message(field, (inner) =>
    inner.uint(1, duration?.count ?? 0).uint(2, Math.round(duration?.ns ?? 0)),
  );

/** The answer behind `room` free bytes. */
export const writeStatistics = (models: readonly ModelStatistics[], room: number): Buffer => {
  const writer = new WireWriter(room, 1024);
  for (const model of models)
    writer.message(1, (item) => {
      item.text(1, model.name).text(2, model.version ?? '');
      item.uint(3, model.last_inference).uint(4, model.inference_count).uint(5, model.execution_count);
      item.message(6, (stats) => {
        inferenceFields.forEach((name, i) => {
          const duration = model.inference_stats[name];
          if (duration !== undefined) writeDuration(stats, i + 1, duration);
        });
      });
      for (const batch of model.batch_stats)
        item.message(7, (inner) => {
          inner.uint(1, batch.batch_size);
          writeDuration(inner, 2, batch.compute_input);
          writeDuration(inner, 3, batch.compute_infer);
          writeDuration(inner, 4, batch.compute_output);
        });
      for (const usage of model.memory_usage ?? [])
        item.message(8, (inner) => inner.text(1, usage.type).uint(2, usage.id).uint(3, usage.byte_size));
    });
  return writer.finish();
};
