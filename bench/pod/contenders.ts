/** The servers of the bench, each set up for one core as its own documentation recommends. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundles, podNodeEnv, podNodeFlags } from '../../local/bundles.ts';
import { type Exchange, type Form, plainExchange, v2Exchange } from './exchange.ts';
import type { BenchModel } from './models.ts';
import { prepareOurs } from './ours.ts';
import type { Command, Setting } from './server-process.ts';
import { must, sitePackages, venvOf } from './venv.ts';

export interface Contender {
  readonly name: string;
  /** Forms of requests that it takes. */
  readonly forms: readonly Form[];
  /** Installs what is missing. */
  provide(): void;
  command(setting: Setting): Command;
  exchange(setting: Setting, form: Form): Exchange;
}

export interface ContenderOptions {
  readonly bundles: Bundles;
  readonly stateDir: string;
  readonly say: (line: string) => void;
}

const peers = join(import.meta.dirname, 'peers');
const base = ({ port }: Setting) => `http://127.0.0.1:${port}`;
const v2 = (setting: Setting, form: Form) =>
  v2Exchange(`${base(setting)}/v2/models/bench/infer`, setting.model, form);
const plain = (setting: Setting) => plainExchange(`${base(setting)}/predict`, setting.model);
const oneThread = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
/** Models that gain by batching, as measured in `peer-servers.md`: a peer is not made to batch where it loses. */
const gains = (model: BenchModel) => model.name !== 'magika' && model.name !== 'cls';

/** All contenders by name. */
export function contendersOf(options: ContenderOptions): ReadonlyMap<string, Contender> {
  const { bundles, stateDir, say } = options;
  const venv = (name: string) => venvOf(name, stateDir, say);
  const python = (name: string, ...args: string[]) => [join(venv(name), 'bin/python'), ...args];
  const all: Contender[] = [
    {
      name: 'constant',
      forms: ['json'],
      provide() {},
      command: ({ port }) => ({
        argv: [process.execPath, join(import.meta.dirname, 'constant.ts'), String(port)],
      }),
      exchange: v2,
    },
    {
      name: 'ballast',
      forms: ['json', 'binary'],
      provide() {},
      command: (setting) => ({
        argv: [process.execPath, ...podNodeFlags, join(bundles.directory, 'inference-pod.mjs'), 'serve'],
        env: { ...podNodeEnv, ...prepareOurs(setting, bundles) },
      }),
      exchange: v2,
    },
    {
      name: 'triton',
      forms: ['json', 'binary'],
      provide: () => void venv('triton'),
      command: (setting) => tritonCommand(setting, venv('triton')),
      exchange: v2,
    },
    {
      name: 'kserve',
      forms: ['json'],
      provide: () => void venv('kserve'),
      command: ({ model, port }) => ({
        argv: python('kserve', join(peers, 'kserve_server.py'), model.path, String(port)),
        env: oneThread,
      }),
      exchange: v2,
    },
    {
      name: 'mlserver',
      forms: ['json'],
      provide: () => void venv('mlserver'),
      command: (setting) => mlserverCommand(setting, venv('mlserver')),
      exchange: v2,
    },
    {
      name: 'fastapi',
      forms: ['json'],
      provide: () => void venv('fastapi'),
      command: ({ model, port }) => ({
        argv: python('fastapi', join(peers, 'fastapi_server.py'), model.path, String(port)),
        env: oneThread,
      }),
      exchange: plain,
    },
    {
      name: 'litserve',
      forms: ['json'],
      provide: () => void venv('litserve'),
      command: ({ model, port }) => ({
        argv: python(
          'litserve',
          join(peers, 'litserve_server.py'),
          model.path,
          String(port),
          gains(model) ? '32' : '1',
        ),
        env: oneThread,
      }),
      exchange: (setting) => {
        const exchange = plain(setting);
        const body = JSON.parse(exchange.body.toString()) as { data: unknown };
        return { ...exchange, body: Buffer.from(JSON.stringify(body)) };
      },
    },
    {
      name: 'bentoml',
      forms: ['json'],
      provide: () => void venv('bentoml'),
      command: ({ model, port, directory }) => ({
        argv: [
          ...python('bentoml', '-m', 'bentoml', 'serve', 'bento_service:Onnx'),
          ...['--host', '127.0.0.1', '--port', String(port), '--working-dir', peers],
        ],
        env: { ...oneThread, BENCH_MODEL: model.path, BENTOML_HOME: directory, BENTOML_DO_NOT_TRACK: 'True' },
        cwd: peers,
      }),
      exchange: plain,
    },
  ];
  return new Map(all.map((one) => [one.name, one]));
}

/** Triton's server with its python backend, as the package nvidia-pytriton ships it. */
function tritonCommand({ model, port, directory }: Setting, venv: string): Command {
  const packages = sitePackages(venv);
  const server = join(packages, 'pytriton/tritonserver');
  const binary = join(server, 'bin/tritonserver');
  const stub = join(server, 'backends/python/triton_python_backend_stub');
  const [version = '', libraries = ''] = must(join(venv, 'bin/python'), [
    '-c',
    'import sys, sysconfig; print(f"{sys.version_info[0]}.{sys.version_info[1]}"); print(sysconfig.get_config_var("LIBDIR"))',
  ]).split('\n');
  if (!existsSync(stub))
    copyFileSync(join(server, 'python_backend_stubs', version, 'triton_python_backend_stub'), stub);
  for (const file of [stub, binary]) chmodSync(file, 0o755);
  const folder = join(directory, 'repository/bench');
  mkdirSync(join(folder, '1'), { recursive: true });
  copyFileSync(join(peers, 'triton_model.py'), join(folder, '1/model.py'));
  const { input, output } = model;
  // A queue delay of 300 µs is Triton's best at 32 connections, and no delay at one: neither wins everywhere.
  const batching = gains(model) ? 'dynamic_batching { max_queue_delay_microseconds: 300 }' : '';
  writeFileSync(
    join(folder, 'config.pbtxt'),
    `name: "bench"
backend: "python"
max_batch_size: 32
input [ { name: "${input.name}" data_type: TYPE_${input.datatype} dims: [ ${input.row.join(', ')} ] } ]
output [ { name: "${output.name}" data_type: TYPE_FP32 dims: [ ${output.row.join(', ')} ] } ]
instance_group [ { kind: KIND_CPU count: 1 } ]
${batching}
parameters { key: "path" value: { string_value: "${model.path}" } }
`,
  );
  return {
    argv: [
      binary,
      ...[
        `--model-repository=${join(directory, 'repository')}`,
        `--backend-directory=${join(server, 'backends')}`,
      ],
      ...['--http-address=127.0.0.1', `--http-port=${port}`, '--allow-grpc=false', '--allow-metrics=false'],
    ],
    env: {
      ...oneThread,
      PATH: `${join(venv, 'bin')}:${process.env.PATH ?? ''}`,
      LD_LIBRARY_PATH: `${join(packages, 'nvidia_pytriton.libs')}:${libraries}`,
    },
  };
}

function mlserverCommand({ model, port, directory }: Setting, venv: string): Command {
  const folder = mkdtempSync(join(directory, 'mlserver-'));
  copyFileSync(join(peers, 'mlserver_runtime.py'), join(folder, 'mlserver_runtime.py'));
  const settings = {
    host: '127.0.0.1',
    http_port: port,
    grpc_port: port + 1,
    metrics_port: port + 2,
    parallel_workers: 0,
    debug: false,
  };
  const adaptive = gains(model) ? { max_batch_size: 32, max_batch_time: 0.002 } : {};
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(
    join(folder, 'model-settings.json'),
    JSON.stringify({
      name: 'bench',
      implementation: 'mlserver_runtime.OnnxRuntime',
      parameters: { uri: model.path },
      ...adaptive,
    }),
  );
  return { argv: [join(venv, 'bin/mlserver'), 'start', folder], env: oneThread, cwd: folder };
}
