/** `npm run kube:up`: a real Kubernetes that runs in the background, or in the foreground until Ctrl-C. */
import { spawn } from 'node:child_process';
import { closeSync, globSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provideTools, type Tools } from '../../local/tools.ts';
import { kubeconfigIn, logIn, recall } from './background.ts';
import { cacheDir } from './build.ts';
import type { RealClusterOptions } from './cluster.ts';
import { imagesHint, toolsHint } from './hints.ts';
import { hold, type Report } from './keeper.ts';
import { missingForNodes } from './packages.ts';

const help = `npm run kube:up -- [--nodes N] [--kwok N] [--karpenter] [--foreground]

Starts a real Kubernetes on this machine, built from Go modules: etcd, kube-apiserver, controller manager, scheduler.
It goes on in the background; "npm run kube:down" ends it and leaves nothing behind. kubectl and helm for it are unpacked
into .ballast/bin on Linux x86-64; the line for your PATH is printed.

  --nodes N      N real nodes (containerd, kubelet, kube-proxy, cluster DNS); needs Linux and root. Default 0: pods stay Pending.
                 Pods and ClusterIPs are reachable from this machine. Ballast's images are loaded if they are built
                 (npm run images:build, before the cluster starts). Missing Debian packages are installed.
  --kwok N       N simulated nodes: their pods count as running, and nothing runs
  --karpenter    the node autoscaler Karpenter, which buys simulated nodes for pods that do not fit
  --foreground   stays until Ctrl-C
  --help         this text`;

interface Choice {
  readonly options: RealClusterOptions;
  readonly foreground: boolean;
}

function parse(words: readonly string[]): Choice | string {
  const { values } = parseArgs({
    args: [...words],
    options: {
      nodes: { type: 'string', default: '0' },
      kwok: { type: 'string', default: '0' },
      karpenter: { type: 'boolean', default: false },
      foreground: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return help;
  const count = (name: 'nodes' | 'kwok') => {
    if (!/^\d{1,5}$/.test(values[name])) throw new Error(`--${name} takes a count, not "${values[name]}"`);
    return Number(values[name]);
  };
  const nodes = count('nodes');
  const options = { nodes, kwokNodes: count('kwok'), karpenter: values.karpenter };
  return {
    options: nodes > 0 ? { ...options, images: builtImages() } : options,
    foreground: values.foreground,
  };
}

/** Newest archive of each of Ballast's images for this machine. */
function builtImages(): string[] {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return ['operator', 'inference-pod'].flatMap((name) => {
    const found = globSync(join(cacheDir, '..', 'images', `${name}-${architecture}-*.tar`));
    const newest = found.map((path) => ({ path, at: statSync(path).mtimeMs })).sort((a, b) => b.at - a.at)[0];
    return newest === undefined ? [] : [newest.path];
  });
}

/** Runs the command; returns the exit code. */
export async function up(
  words: readonly string[],
  home: string,
  say: (line: string) => void,
): Promise<number> {
  const choice = parse(words);
  if (typeof choice === 'string') {
    say(choice);
    return 0;
  }
  const { options, foreground } = choice;
  const missing = (options.nodes ?? 0) > 0 ? missingForNodes() : undefined;
  if (missing !== undefined) throw new Error(missing);
  const running = recall(home);
  if (running?.runs === true) {
    say(`A cluster runs already (process ${running.pid}); "npm run kube:down" ends it.`);
    say(`export KUBECONFIG=${running.kubeconfig}`);
    return 1;
  }
  mkdirSync(home, { recursive: true });
  const hint = imagesHint(options.nodes ?? 0, options.images?.length ?? 0);
  if (hint !== undefined) say(hint);
  const tools = await provideTools(join(cacheDir, '..'));
  const show = (what: Report) => {
    if ('say' in what) say(what.say);
    else if ('failed' in what) console.error(what.failed);
    else for (const line of introduction(what.ready.nodes, options, home, tools)) say(line);
  };
  if (foreground)
    return hold(home, options, (what) => {
      show(what);
      if ('ready' in what) say('Ctrl-C ends it.');
    });
  return inBackground(home, options, show, say);
}

function introduction(
  nodes: readonly { name: string; zone: string }[],
  options: RealClusterOptions,
  home: string,
  tools: Tools,
) {
  const lines = [`export KUBECONFIG=${kubeconfigIn(home)}`];
  if (nodes.length > 0) {
    lines.push(`real nodes: ${nodes.map(({ name, zone }) => `${name} in ${zone}`).join(', ')}`);
    const images = options.images?.length ?? 0;
    lines.push(
      images === 2
        ? 'loaded: docker.io/ballast/operator, docker.io/ballast/inference-pod'
        : 'Ballast has no images here yet: "npm run images:build" makes them, then start again',
    );
  } else if ((options.kwokNodes ?? 0) === 0 && options.karpenter !== true)
    lines.push('no nodes: pods stay Pending (--nodes N starts real ones)');
  lines.push(...toolsHint(tools, process.env.PATH ?? ''));
  return lines;
}

async function inBackground(
  home: string,
  options: RealClusterOptions,
  show: (what: Report) => void,
  say: (line: string) => void,
): Promise<number> {
  const log = openSync(logIn(home), 'w', 0o600);
  const keeper = spawn(
    process.execPath,
    [join(import.meta.dirname, 'keeper.ts'), home, JSON.stringify(options)],
    // Of its own session: the terminal's Ctrl-C and its end are not the keeper's.
    { stdio: ['ignore', log, log, 'ipc'], detached: true },
  );
  closeSync(log);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      say('stopping');
      keeper.kill('SIGTERM');
    });
  return new Promise((resolve) => {
    keeper.on('message', (what: Report) => {
      show(what);
      if (!('ready' in what)) return;
      say('It runs in the background; "npm run kube:down" ends it.');
      keeper.disconnect();
      keeper.unref();
      process.removeAllListeners('SIGINT');
      resolve(0);
    });
    keeper.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    keeper.once('exit', (code) => resolve(code ?? 1));
  });
}
