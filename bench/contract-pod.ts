/** A whole request of `small` with and without a contract: two pods on one core, in turn, CPU counted by the kernel. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContractSpec } from '../crds/types.ts';
import { benchModel, madeUpNumbers } from './pod/models.ts';

const rounds = 21;
const requestsPerRound = 1_500;
/** One at a time: how many share a batch would decide what a request costs, not its contract. */
const connections = 1;

interface PodUnderTest {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startPod(
  directory: string,
  modelPath: string,
  contract: ContractSpec | undefined,
): Promise<PodUnderTest> {
  for (const folder of ['model', 'config']) mkdirSync(join(directory, folder), { recursive: true });
  const model = readFileSync(modelPath);
  writeFileSync(join(directory, 'model/model.onnx'), model);
  const sha256 = createHash('sha256').update(model).digest('hex');
  writeFileSync(
    join(directory, 'model/manifest.json'),
    JSON.stringify({ sha256, bytes: model.length, uri: 'bench' }),
  );
  const child = spawn(process.execPath, [join(import.meta.dirname, '../inference-pod/main.ts'), 'serve'], {
    env: {
      PATH: process.env.PATH ?? '',
      BALLAST_MODEL_NAME: 'small',
      BALLAST_MODEL_DIR: join(directory, 'model'),
      BALLAST_CONFIG_DIR: join(directory, 'config'),
      BALLAST_TERMINATION_LOG: join(directory, 'termination'),
      BALLAST_LISTEN_HOST: '127.0.0.1',
      BALLAST_HTTP_PORT: '0',
      BALLAST_OPS_PORT: '0',
      BALLAST_GRPC_PORT: '0',
      BALLAST_DRAIN_DELAY_MS: '0',
      BALLAST_CPU_LIMIT_MILLICORES: '1000',
      ...(contract === undefined ? {} : { BALLAST_CONTRACT: JSON.stringify(contract) }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('"message":"ready"')) resolve();
    });
    child.once('exit', () => reject(new Error(`the pod ended:\n${text}`)));
  });
  await ready;
  const port = Number(/"httpPort":(\d+)/.exec(text)?.[1]);
  return { child, port };
}

function cpuMicroseconds({ child }: PodUnderTest): number {
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  // In clock ticks of 10 ms.
  return (Number(stat[11]) + Number(stat[12])) * 10_000;
}

const bodies = Array.from({ length: 64 }, (_, seed) =>
  JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 256], data: [...madeUpNumbers(256, seed + 1)] }],
  }),
);

function ask(agent: Agent, port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { agent, port, method: 'POST', path: '/v2/models/small/infer' },
      (response) => {
        response.resume();
        response.once('end', () => {
          const flagged = response.headers['ballast-contract'];
          if (response.statusCode === 200 && flagged === undefined) resolve();
          else reject(new Error(`answered ${response.statusCode} ${String(flagged)}`));
        });
      },
    );
    request.once('error', reject);
    request.end(body);
  });
}

/** Medians over rounds: the CPU that one request takes in both pods, and how much more it is with a contract in the same round. */
export async function comparePods(): Promise<{ withoutUs: number; withUs: number; more: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'ballast-bench-contract-'));
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const { path } = benchModel('small', directory, '');
  const contract: ContractSpec = {
    inputs: Array.from({ length: 256 }, (_, column) => ({
      name: 'x',
      columns: [column],
      min: '-2',
      max: `${2 + column}`,
    })),
    outputs: [{ name: 'y', min: '-1000', max: '1000' }],
  };
  const pods = [
    await startPod(join(directory, 'without'), path, undefined),
    await startPod(join(directory, 'with'), path, contract),
  ];
  const times: number[][] = [[], []];
  try {
    for (let round = -2; round < rounds; round += 1)
      for (const [at, pod] of pods.entries()) {
        const from = cpuMicroseconds(pod);
        let sent = 0;
        const client = async () => {
          while (sent < requestsPerRound) {
            sent += 1;
            await ask(agent, pod.port, bodies[sent % bodies.length] ?? '');
          }
        };
        await Promise.all(Array.from({ length: connections }, client));
        // The first rounds only warm up.
        if (round >= 0) times[at]?.push((cpuMicroseconds(pod) - from) / requestsPerRound);
      }
  } finally {
    for (const { child } of pods) child.kill('SIGTERM');
    await Promise.all(pods.map(({ child }) => new Promise((resolve) => child.once('exit', resolve))));
    agent.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
  const median = (values: readonly number[] = []) =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const [without = [], withContract = []] = times;
  const more = median(withContract.map((us, round) => us / (without[round] ?? us) - 1));
  return { withoutUs: median(without), withUs: median(withContract), more };
}
