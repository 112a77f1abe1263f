/**
 * `npm run test:quickstart`: the README's tour in a clean clone, as a newcomer types it. Each step is a test; the
 * figures that README quotes (seconds of each step, `kubectl get md -w` during the load) are printed here.
 */

import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../kube/log.ts';
import { shellBlocks } from '../docs/blocks.ts';
import { type Line, run, startLines, until } from './shell.ts';

const root = join(import.meta.dirname, '..', '..');
const work = mkdtempSync(join(tmpdir(), 'ballast-tour-'));
const clone = join(work, 'ballast');
const startedMs = performance.now();
let passed = 0;
let failed = 0;

async function step(name: string, body: () => Promise<string | undefined>): Promise<void> {
  if (failed > 0) return;
  const from = performance.now();
  try {
    const figure = await body();
    passed += 1;
    console.log(
      `ok      ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)${figure === undefined ? '' : `: ${figure}`}`,
    );
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${messageOf(error)}`);
  }
}

function expectText(text: string, ...parts: (string | RegExp)[]): void {
  for (const part of parts) {
    const found = typeof part === 'string' ? text.includes(part) : part.test(text);
    if (!found) throw new Error(`expected ${String(part)} in:\n${text}`);
  }
}

/** Processes whose working folder or command line lies in the clone: none may be left. */
function leftovers(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(clone) || readlinkSync(`/proc/${pid}/cwd`).startsWith(clone)
          ? [`${pid} ${command}`]
          : [];
      } catch {
        return [];
      }
    });
}

const env: NodeJS.ProcessEnv = { ...process.env, CI: 'true' };
delete env.KUBECONFIG;
const kubeEnv = () => ({
  ...env,
  KUBECONFIG: join(clone, '.ballast/kubeconfig'),
  PATH: `${join(clone, '.ballast/bin')}:${env.PATH ?? ''}`,
});
const kubectl = (...args: string[]) =>
  run('kubectl', args, { cwd: clone, env: kubeEnv(), timeoutMs: 120_000 });
const replicas = async () => Number(await kubectl('get', 'md', 'wine', '-o', 'jsonpath={.status.replicas}'));

let main: ChildProcess | undefined;
let screen: Line[] = [];
const children: ChildProcess[] = [];

function start(...args: string[]): void {
  const started = startLines('npm', ['start', '--', ...args], { cwd: clone, env });
  main = started.child;
  screen = started.lines;
}

async function stopStart(signal: NodeJS.Signals): Promise<void> {
  const child = main;
  if (child?.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, signal);
  await ended;
  await until('no process of the clone is left', 15_000, async () => leftovers().length === 0);
}

async function predict(): Promise<string> {
  // It is printed with the commands to try, once kubectl is unpacked.
  const url = await until('the URL of the model is on the screen', 20_000, async () =>
    screen
      .map((line) => /http:\/\/127\.[0-9.]+:[0-9]+\/v2\/models\/wine\/infer/.exec(line.text)?.[0])
      .find((found) => found !== undefined),
  );
  const answer = JSON.parse(
    await run('curl', ['-sS', url, '-d', `@${join(clone, 'samples/wine/golden/request.json')}`], {
      cwd: clone,
      env,
    }),
  );
  const golden = JSON.parse(readFileSync(join(clone, 'samples/wine/golden/response.json'), 'utf8'));
  for (const want of golden.outputs) {
    const got = answer.outputs.find((output: { name: string }) => output.name === want.name);
    want.data.forEach((value: unknown, index: number) => {
      const close =
        typeof value === 'number' ? Math.abs(value - got.data[index]) <= 1e-5 : value === got.data[index];
      if (!close)
        throw new Error(`${want.name}[${index}] is ${got.data[index]}, Python’s onnxruntime says ${value}`);
    });
  }
  return `${golden.outputs.length} outputs equal Python’s onnxruntime`;
}

try {
  await step('git clone', async () => {
    await run('git', ['clone', '--quiet', root, clone], { cwd: work, env });
    return undefined;
  });
  await step('npm ci', async () => {
    await run('npm', ['ci'], { cwd: clone, env, timeoutMs: 600_000 });
    return undefined;
  });
  await step('npm start serves the sample', async () => {
    start();
    const line = await until('the model is ready', 60_000, async () =>
      screen.find((seen) => seen.text.includes('first prediction')),
    );
    return line.text.trim();
  });
  await step('curl gets the prediction that Python gives', predict);
  await step('kubectl get, describe, explain, api-resources, ballast why', async () => {
    expectText(await kubectl('get', 'md'), 'NAME', 'READY', 'wine', '1/1');
    expectText(await kubectl('describe', 'md', 'wine'), 'Conditions:', 'Ready', 'Events:');
    expectText(await kubectl('explain', 'md.spec.sla.latency'), 'p95', 'FIELDS');
    expectText(await kubectl('api-resources'), 'modeldeployments', 'deployments');
    expectText(await kubectl('get', 'deploy,rs,pods,svc,endpointslices,pdb'), 'pod/wine-');
    expectText(await kubectl('ballast', 'why', 'wine'), 'wine in default: 1 replica wanted, 1 ready');
    return undefined;
  });
  await step('kubectl scale is refused in mode SLA, with the way out', async () => {
    const refused = await kubectl('scale', 'md', 'wine', '--replicas=3').then(
      () => 'was accepted',
      (error: Error) => error.message,
    );
    expectText(refused, 'mode SLA', 'minReplicas');
    return undefined;
  });
  let watched: Line[] = [];
  await step('a load raises the replicas', async () => {
    const watch = startLines('kubectl', ['get', 'md', '-w'], { cwd: clone, env: kubeEnv() });
    children.push(watch.child);
    watched = watch.lines;
    const load = startLines('npm', ['run', 'load', '--', 'wine', '--rps', '120', '--seconds', '20'], {
      cwd: clone,
      env,
    });
    children.push(load.child);
    const ended = new Promise<number | null>((resolve) => load.child.once('exit', resolve));
    await until('three replicas are ready', 40_000, async () => (await replicas()) >= 3);
    const code = await ended;
    if (code !== 0)
      throw new Error(`the load ended with ${code}:\n${load.lines.map((line) => line.text).join('\n')}`);
    const text = load.lines.map((line) => line.text).join('\n');
    expectText(text, /p99/, /errors?/);
    console.log(
      text
        .split('\n')
        .slice(-14)
        .map((line) => `        ${line}`)
        .join('\n'),
    );
    return undefined;
  });
  await step('and they come down after it', async () => {
    await until('one replica is left', 240_000, async () => (await replicas()) === 1, 1000);
    console.log(watched.map((line) => `        ${line.text}`).join('\n'));
    return undefined;
  });
  await step('kubectl edit, patch, wait: a rolling update under load loses no request', async () => {
    const before = await kubectl('get', 'md', 'wine', '-o', 'jsonpath={.status.stable.revision}');
    await run('kubectl', ['edit', 'md', 'wine'], {
      cwd: clone,
      env: { ...kubeEnv(), KUBE_EDITOR: "sed -i 's/maxReplicas: 4/maxReplicas: 5/'" },
    });
    const load = startLines('npm', ['run', 'load', '--', 'wine', '--rps', '40', '--seconds', '15'], {
      cwd: clone,
      env,
    });
    children.push(load.child);
    const text = () => load.lines.map((line) => line.text).join('\n');
    const ended = new Promise<number | null>((resolve) => load.child.once('exit', resolve));
    await until('the load runs', 15_000, async () => text().includes('sent'));
    await kubectl('patch', 'md', 'wine', '--type=merge', '-p', '{"spec":{"runtime":{"threads":1}}}');
    await kubectl('wait', 'md/wine', '--for=condition=Ready', '--timeout=60s');
    const after = await kubectl(
      'get',
      'md',
      'wine',
      '-o',
      'jsonpath={.status.stable.revision} {.spec.scaling.maxReplicas}',
    );
    if (after.startsWith(before) || !after.endsWith(' 5'))
      throw new Error(`revision ${before} became ${after}`);
    await ended;
    expectText(text(), /errors +none/);
    const sent = /([0-9]+) requests in/.exec(text())?.[1];
    return `revision ${before} → ${after.split(' ')[0]}, ${sent} requests, no errors`;
  });
  await step('kubectl logs -f shows the pod’s log', async () => {
    const pod =
      (await kubectl('get', 'pods', '-l', 'ballast.dev/model-deployment=wine', '-o', 'name'))
        .trim()
        .split('\n')[0] ?? '';
    const logs = startLines('kubectl', ['logs', '-f', pod], { cwd: clone, env: kubeEnv() });
    children.push(logs.child);
    await until('a log line arrives', 10_000, async () => logs.lines.length > 0);
    return undefined;
  });
  await step('docs/tutorial.md, to the letter', async () => {
    const blocks = shellBlocks(readFileSync(join(clone, 'docs/tutorial.md'), 'utf8')).filter(
      ({ notRun }) => notRun === undefined,
    );
    const commands = blocks.map(({ commands }) => commands).join('\n');
    const where = { cwd: clone, env: kubeEnv(), timeoutMs: 300_000 };
    expectText(await run('bash', ['-euxo', 'pipefail', '-c', commands], where), /errors +none/);
    return `${blocks.length} blocks`;
  });
  await step('every sample serves', async () => {
    const names = readdirSync(join(clone, 'samples')).filter((name) =>
      existsSync(join(clone, 'samples', name, 'modeldeployment.yaml')),
    );
    for (const name of names) await kubectl('apply', '-f', `samples/${name}/modeldeployment.yaml`);
    for (const name of names) await kubectl('wait', `md/${name}`, '--for=condition=Ready', '--timeout=60s');
    return names.join(', ');
  });
  await step('kubectl scale counts in mode Fixed', async () => {
    const scaling = {
      mode: 'Fixed',
      minReplicas: null,
      maxReplicas: null,
      requestsPerSecondPerReplica: null,
    };
    await kubectl('patch', 'md', 'digits', '--type=merge', '-p', JSON.stringify({ spec: { scaling } }));
    await kubectl('scale', 'md', 'digits', '--replicas=2');
    await kubectl('wait', 'md/digits', '--for=jsonpath={.status.readyReplicas}=2', '--timeout=60s');
    return undefined;
  });
  await step('kubectl delete removes the model and its children', async () => {
    await kubectl('delete', 'md', '--all');
    await until(
      'no pod is left',
      60_000,
      async () => (await kubectl('get', 'pods', '-o', 'name')).trim() === '',
    );
    return undefined;
  });
  await step('Ctrl-C leaves no process', async () => {
    await stopStart('SIGINT');
    return undefined;
  });
  await step(
    'npm start -- ./my-model.onnx in the dirty folder, on one address, prints an example request',
    async () => {
      cpSync(join(clone, 'samples/penguins/model.onnx'), join(clone, 'my-model.onnx'));
      start('./my-model.onnx', '--single-address');
      await until('the model is ready', 60_000, async () =>
        screen.find((seen) => seen.text.includes('first prediction')),
      );
      await until('the commands to try are told', 20_000, async () =>
        screen.find((seen) => seen.text.includes('kubectl get md -w')),
      );
      expectText(screen.map((line) => line.text).join('\n'), 'my-model', 'inputs', 'curl');
      return undefined;
    },
  );
  await step('SIGKILL of npm start leaves no process', async () => {
    await stopStart('SIGKILL');
    return undefined;
  });
} finally {
  for (const child of children) child.kill('SIGKILL');
  if (main?.pid !== undefined && main.exitCode === null && main.signalCode === null) {
    try {
      process.kill(-main.pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  if (failed > 0) console.log(screen.map((line) => `        ${line.text}`).join('\n'));
  rmSync(work, { recursive: true, force: true });
}
console.log(`${((performance.now() - startedMs) / 1000).toFixed(0)} s in all`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
