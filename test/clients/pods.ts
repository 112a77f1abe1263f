/** The pods that the clients talk to: real processes, one for each model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { everyDatatype, loopOnDemand, twoInputs } from '../../inference-pod/testing/models.ts';
import {
  makePodDirectory,
  type PodDirectory,
  type PodProcess,
  spawnPod,
  until,
} from '../../inference-pod/testing/pod.ts';

const root = join(import.meta.dirname, '../..');
const sample = (name: string) => readFileSync(join(root, 'samples', name, 'model.onnx'));

/** Every datatype that numpy has too; the others only pass through. */
const numpyTypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;

const models: Readonly<Record<string, () => Uint8Array>> = {
  wine: () => sample('wine'),
  penguins: () => sample('penguins'),
  'digit-images': () => sample('digit-images'),
  every: () => everyDatatype(numpyTypes),
  two: twoInputs,
  slow: loopOnDemand,
};

/** What a client must know of a pod. */
export interface ServedModel {
  readonly http: string;
  readonly grpc: string;
  readonly ops: string;
  /** The model's file. */
  readonly path: string;
  readonly version: string;
}

export interface ClientPods {
  readonly served: Readonly<Record<string, ServedModel>>;
  /** What the pods logged. */
  logs(): string;
  /** Ends all, each within its drain; true when every pod ended by itself with code 0. */
  stop(): Promise<boolean>;
}

/** Starts a pod for each model and waits until all are ready. */
export async function startClientPods(): Promise<ClientPods> {
  const running: { name: string; directory: PodDirectory; pod: PodProcess }[] = [];
  const served: Record<string, ServedModel> = {};
  for (const [name, make] of Object.entries(models)) {
    const directory = makePodDirectory(make());
    directory.writeLiveConfig({ timeoutMs: 20_000 });
    const env = {
      ...directory.env,
      BALLAST_MODEL_NAME: name,
      BALLAST_MODEL_VERSION: 'v7',
      BALLAST_MAX_BODY_BYTES: '4194304',
    };
    running.push({ name, directory, pod: spawnPod('serve', env) });
  }
  for (const { name, directory, pod } of running) {
    const { http, grpc, ops } = await pod.ports();
    const path = join(directory.root, 'model/model.onnx');
    served[name] = {
      http: `127.0.0.1:${http}`,
      grpc: `127.0.0.1:${grpc}`,
      ops: `127.0.0.1:${ops}`,
      path,
      version: 'v7',
    };
    await until(async () => (await fetch(`http://127.0.0.1:${ops}/readyz`)).status === 200, 60_000);
  }
  return {
    served,
    logs: () => running.map(({ name, pod }) => `== ${name}\n${pod.log()}`).join('\n'),
    stop: async () => {
      let allWell = true;
      for (const { pod } of running) pod.child.kill('SIGTERM');
      for (const { pod, directory, name } of running) {
        const { code, signal } = await pod.exited;
        if (code !== 0) {
          allWell = false;
          console.log(`the pod of ${name} ended with ${signal ?? code}`);
          console.error(pod.log().slice(-4000));
        }
        directory.remove();
      }
      return allWell;
    },
  };
}
