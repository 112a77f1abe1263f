/**
 * Runs in the build stage of an image: reduces package.json and package-lock.json to what this image is made of,
 * so that `npm ci` brings no test runner, no second Node and, for the operator, no onnxruntime. Digests stay those of the lock file.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const image = process.argv[2];
if (image !== 'operator' && image !== 'inference-pod')
  throw new Error(`the image is '${image ?? ''}', it must be operator or inference-pod`);

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

function reduce(manifest: Manifest): void {
  const { esbuild } = manifest.devDependencies ?? {};
  if (esbuild === undefined) throw new Error('package.json no longer names esbuild');
  const { 'onnxruntime-node': runtime, ...shared } = manifest.dependencies ?? {};
  if (runtime === undefined) throw new Error('package.json no longer names onnxruntime-node');
  manifest.dependencies = {
    ...shared,
    esbuild,
    ...(image === 'operator' ? {} : { 'onnxruntime-node': runtime }),
  };
  delete manifest.devDependencies;
  delete manifest.optionalDependencies;
}

const manifest: Manifest = read('package.json');
const lock: { packages: { '': Manifest } } = read('package-lock.json');
reduce(manifest);
reduce(lock.packages['']);
writeFileSync('package.json', JSON.stringify(manifest));
writeFileSync('package-lock.json', JSON.stringify(lock));
