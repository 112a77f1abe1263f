/** esbuild bundles of operator, gateway and inference pod, the same that images hold, cached by the content of their sources. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';

/** Entry points by bundle name; a worker is a bundle of its own because it is loaded by URL. */
const entryPoints = {
  operator: 'operator/main.ts',
  gateway: 'gateway/main.ts',
  'inference-pod': 'inference-pod/main.ts',
  'runner-worker': 'inference-pod/runner/worker.ts',
} as const;

/** Bundles that each image holds. */
export const imageBundles = {
  operator: ['operator', 'gateway'],
  'inference-pod': ['inference-pod', 'runner-worker'],
} as const satisfies Record<string, readonly (keyof typeof entryPoints)[]>;

/**
 * Node's flags for the operator. Its young generation grows to 128 MB by default, which is most of its memory: with 2 MB
 * halves a fleet of 200 costs 200 MB less. It is paid in CPU: 300 models made ready took 13.9 s of it, with 8 MB halves 9.8 s
 * and 8 MB more; at 1,000 the operator still ends at 1.4 times the time of plain apply and under its 250 MB.
 */
export const operatorNodeFlags = ['--max-old-space-size=192', '--max-semi-space-size=2'] as const;

/** Environment of the operator: two arenas of malloc instead of one per thread are 15 MB less. */
export const operatorNodeEnv = { MALLOC_ARENA_MAX: '2' } as const;

/**
 * Node's flags for the inference pod. A young generation of 4 MB halves instead of 16 is 8 to 16 MB less in each thread that
 * runs JavaScript, and of 2 MB 3 to 5 MB less again, at the same CPU (1 MB: 10 % more). Without V8's middle
 * compiler the pod is 12 MB smaller with a tiny model and 5 MB with a small one: what is hot is compiled by the best one all
 * the same, and a request costs as much CPU as before (medians of 9 rounds, interleaved: 30.6 µs and 31.2 at 32 connections).
 */
export const podNodeFlags = ['--max-semi-space-size=2', '--no-maglev'] as const;

/**
 * Environment of the inference pod. One arena of malloc instead of one per thread is 11 to 17 MB less under load, at the same
 * CPU: what two threads free is used again by both. And malloc asks for huge pages for what is 2 MB or more, which are the
 * weights. Where the kernel gives them only to those that ask (`madvise`), an 84 MB model takes 3 % less CPU in batches of 32
 * and 7 % less alone on the runner's thread, for 3 MB more (measured); where it gives them to all or to none nothing should
 * change. Both thresholds are malloc's own, but fixed: else the first model file that is freed raises them to its size and its
 * double, and as much stays taken (3 to 4 MB less for models of 3 and 84 MB under load, 8 when ready, at the same CPU).
 */
export const podNodeEnv = {
  GLIBC_TUNABLES:
    'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=131072:glibc.malloc.trim_threshold=131072',
  MALLOC_ARENA_MAX: '1',
} as const;

/** Folders whose sources can be part of a bundle. */
export const sourceFolders = [
  'crds',
  'kube',
  'protocol',
  'crowd',
  'queue',
  'stats',
  'operator',
  'gateway',
  'inference-pod',
];

export interface Bundles {
  /** Folder with one `NAME.mjs` for each entry point. */
  readonly directory: string;
  /** True when an earlier run had built the same sources. */
  readonly cached: boolean;
}

function* sourceFiles(root: string, folder: string): Generator<string> {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sourceFiles(root, path);
    else if (/\.(ts|json)$/.test(entry.name) && !entry.name.endsWith('.test.ts')) yield path;
  }
}

function contentHash(root: string): string {
  const hash = createHash('sha256');
  for (const folder of sourceFolders) {
    for (const file of sourceFiles(root, folder))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, file)))
        .update('\0');
  }
  return hash
    .update(readFileSync(import.meta.filename))
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

/** Keeps the newest bundles: each build is about 3 MB and sources change often. */
function prune(base: string, keep: string): void {
  const others = readdirSync(base)
    .filter((name) => name !== keep)
    .map((name) => ({ name, at: statSync(join(base, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { name } of others.slice(2)) rmSync(join(base, name), { recursive: true, force: true });
}

/** How esbuild makes these bundles in `outdir`: the same for the embedded cluster and for images. */
export function bundleOptions(
  root: string,
  names: readonly (keyof typeof entryPoints)[],
  outdir: string,
): BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: names.map((out) => ({ in: entryPoints[out], out })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['onnxruntime-node'],
    // Express loads both for what no program here asks of it, parsed bodies and queries with brackets; Node's own module stands
    // in: 600 KB of text less, 1.7 MB and 15 ms of every pod (measured).
    alias: { 'body-parser': 'node:querystring', qs: 'node:querystring' },
    legalComments: 'none',
    // Sources stay in memory as text: without blanks they are half the size. Names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    // Node prints the source line of an error that nobody caught: one line of 600 KB would bury the error in the log.
    lineLimit: 120,
    logLevel: 'silent',
    // CommonJS dependencies inside an ES module still call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  };
}

/** Builds the bundles below `stateDir/bundles` unless the same sources are built there already; rejects with esbuild's errors. */
export async function buildBundles(root: string, stateDir: string): Promise<Bundles> {
  const base = join(stateDir, 'bundles');
  const key = contentHash(root);
  const directory = join(base, key);
  if (existsSync(directory)) return { directory, cached: true };
  const { build, stop } = await import('esbuild');
  const unfinished = join(base, `.${key}-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  // As the images hold them: built together, a pod would load of zod and others what only the operator needs.
  for (const names of Object.values(imageBundles)) await build(bundleOptions(root, names, unfinished));
  // Its service process would stay for as long as this one lives, 24 MB for nothing.
  await stop();
  // The one package that stays outside is found from wherever the state folder lies.
  symlinkSync(join(root, 'node_modules'), join(unfinished, 'node_modules'));
  try {
    renameSync(unfinished, directory);
  } catch (cause) {
    // Another process finished the same build first: its result is as good.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw cause;
  }
  prune(base, key);
  return { directory, cached: false };
}
