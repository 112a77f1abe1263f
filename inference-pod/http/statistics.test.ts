/** Statistics (open-inference-protocol.md §4.7) and the repository (§4.6), against a really running server. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ModelStatistics } from '../inference/statistics.ts';
import { lookupTable } from '../testing/models.ts';
import { serveModel, type TestPod, until } from '../testing/pod.ts';

let pod: TestPod;
beforeAll(async () => {
  pod = await serveModel(lookupTable(), { env: { BALLAST_MODEL_VERSION: 'v1' } });
});
afterAll(() => pod.stop());

const lookUp = (...data: number[]) =>
  pod.infer({ inputs: [{ name: 'i', datatype: 'INT64', shape: [data.length], data }] });
const read = async (path = '/v2/models/m/stats'): Promise<ModelStatistics> => {
  const response = await fetch(`${pod.url}${path}`);
  expect(response.status).toBe(200);
  const { model_stats } = (await response.json()) as { model_stats: ModelStatistics[] };
  expect(model_stats.length).toBe(1);
  return model_stats[0] as ModelStatistics;
};
/** The counts, without the durations. */
const countsOf = ({ inference_count, execution_count, inference_stats, batch_stats }: ModelStatistics) => ({
  inference_count,
  execution_count,
  success: inference_stats.success.count,
  fail: inference_stats.fail.count,
  queue: inference_stats.queue.count,
  infer: inference_stats.compute_infer.count,
  batches: Object.fromEntries(batch_stats.map((batch) => [batch.batch_size, batch.compute_infer.count])),
});

describe('statistics', () => {
  test('before the first request everything is 0: warming up does not count', async () => {
    const stats = await read();
    expect(stats).toMatchObject({ name: 'm', version: 'v1', last_inference: 0, response_stats: {} });
    expect(countsOf(stats)).toEqual({
      inference_count: 0,
      execution_count: 0,
      success: 0,
      fail: 0,
      queue: 0,
      infer: 0,
      batches: {},
    });
    expect(stats.memory_usage[0]?.byte_size).toBeGreaterThan(10_000_000);
  });
  test('rows, requests and runs are counted apart, failures only as failures', async () => {
    const from = Date.now();
    await lookUp(0, 1, 2);
    await lookUp(1);
    expect((await lookUp(7)).status).toBeGreaterThanOrEqual(400);
    expect((await pod.infer({})).status).toBe(400);
    await until(async () => (await read()).inference_stats.fail.count === 2);
    const stats = await read();
    const counts = countsOf(stats);
    expect(counts).toMatchObject({ inference_count: 4, success: 2, fail: 2, queue: 2, infer: 2 });
    expect(counts.execution_count).toBeGreaterThanOrEqual(2);
    // In how many pieces three rows run is what the warm-up measured; the row that failed has run too.
    const rows = Object.entries(counts.batches).reduce((sum, [size, count]) => sum + Number(size) * count, 0);
    expect(rows).toBe(5);
    expect(stats.last_inference).toBeGreaterThanOrEqual(from);
    const { success, queue, compute_infer, compute_input, cache_hit } = stats.inference_stats;
    expect(Math.abs(success.ns - queue.ns - compute_infer.ns - compute_input.ns)).toBeLessThan(1000);
    expect(compute_infer.ns).toBeGreaterThan(0);
    expect(cache_hit).toEqual({ count: 0, ns: 0 });
  });
  test('all paths tell the same, unknown ones are 404', async () => {
    const counts = countsOf(await read());
    expect(countsOf(await read('/v2/models/stats'))).toEqual(counts);
    expect(countsOf(await read('/v2/models/m/versions/v1/stats'))).toEqual(counts);
    for (const path of ['/v2/models/x/stats', '/v2/models/m/versions/2/stats'])
      expect((await fetch(`${pod.url}${path}`)).status).toBe(404);
    expect((await fetch(`${pod.url}/v2/models/stats`, { method: 'POST' })).status).toBe(405);
  });
});

describe('the repository', () => {
  const post = async (path: string, body?: string) => {
    const init = body === undefined ? {} : { body };
    const response = await fetch(`${pod.url}/v2/repository/${path}`, { method: 'POST', ...init });
    return { status: response.status, body: (await response.json()) as unknown };
  };
  const models = [{ name: 'm', version: 'v1', state: 'READY' }];
  test.each([[undefined], ['{}'], ['{"ready":true}'], ['{"ready":false}']])('index of %s', async (body) => {
    expect(await post('index', body)).toEqual({ status: 200, body: models });
  });
  test.each([
    ['index', '{"ready":1}', 400, /^failed to parse the request: ready: must be true or false/],
    ['index', '{"ready":', 400, /^failed to parse the request JSON buffer/],
    ['index', `{"junk":"${'x'.repeat(5000)}"}`, 400, /more than 4096 bytes/],
    ['models/m/load', '{}', 501, /^load is not supported: .*spec\.model/],
    ['models/m/unload', '{}', 501, /^unload is not supported/],
    ['models/other/load', '{}', 501, /^load is not supported/],
    ['other/index', '{}', 501, "'repository_name' is not supported"],
    ['other/models/m/load', '{}', 501, "'repository_name' is not supported"],
  ] as const)('%s %s', async (path, body, status, error) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect((answer.body as { error: string }).error).toMatch(error);
  });
  test('only POST', async () => {
    for (const path of ['index', 'models/m/load'])
      expect((await fetch(`${pod.url}/v2/repository/${path}`)).status).toBe(405);
  });
  test('a model that may not serve is listed as such, and left out where only ready ones are asked for', async () => {
    pod.directory.writeLiveConfig({ digests: { '': 'f'.repeat(64) } });
    await until(async () => (await fetch(`${pod.url}/v2/health/ready`)).status === 503);
    expect(await post('index')).toEqual({
      status: 200,
      body: [
        { name: 'm', version: 'v1', state: 'UNAVAILABLE', reason: expect.stringMatching(/^DigestMoved: /) },
      ],
    });
    expect(await post('index', '{"ready":true}')).toEqual({ status: 200, body: [] });
  });
});
