/** Runs in the build stage of an image: `image-files.ts IMAGE ARCHITECTURE FOLDER` fills FOLDER with everything that the image adds to its base. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleImage, isImageName } from './image-contents.ts';

/** Names of an architecture: as images say it, as Node says it. */
const nodeArchitectures: Readonly<Record<string, string>> = { amd64: 'x64', arm64: 'arm64' };

const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');
const [image = '', architecture = '', folder = ''] = process.argv.slice(2);
const app = join(folder, 'app');

/** JavaScript that runs and the package.json files that say how, of a package that is not bundled. */
function copyScripts(name: string, subfolder: string): void {
  for (const path of [
    'package.json',
    ...readdirSync(join(modules, name, subfolder)).map((file) => join(subfolder, file)),
  ])
    if (/(\.js|package\.json)$/.test(path))
      cpSync(join(modules, name, path), join(app, 'node_modules', name, path));
}

/** onnxruntime for the processor of one platform. */
function copyRuntime(): void {
  const platform = `bin/napi-v6/linux/${nodeArchitectures[architecture]}`;
  copyScripts('onnxruntime-node', 'dist');
  copyScripts('onnxruntime-common', 'dist/cjs');
  for (const file of ['onnxruntime_binding.node', 'libonnxruntime.so.1'])
    cpSync(
      join(modules, 'onnxruntime-node', platform, file),
      join(app, 'node_modules/onnxruntime-node', platform, file),
    );
}

function copySamples(): void {
  for (const name of readdirSync(join(root, 'samples'))) {
    const model = join(root, 'samples', name, 'model.onnx');
    if (existsSync(model)) cpSync(model, join(folder, 'samples', name, 'model.onnx'));
  }
}

/** The licences that ask to be kept with copies of the software: one text, each package with its own words. */
function licencesOf(packages: readonly string[]): string {
  return packages
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
      const texts = readdirSync(join(root, path))
        .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
        .map((file) => readFileSync(join(root, path, file), 'utf8').trim());
      return [`## ${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n');
    })
    .join('\n\n');
}

/** What runs must not be able to change itself, whoever it runs as. */
function makeReadOnly(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) makeReadOnly(child);
    else chmodSync(child, 0o444);
  }
  chmodSync(path, 0o755);
}

if (!isImageName(image)) throw new Error(`the image is '${image}', it must be operator or inference-pod`);
if (!(architecture in nodeArchitectures))
  throw new Error(`the architecture is '${architecture}', it must be amd64 or arm64`);
mkdirSync(app, { recursive: true });
const { packages } = await bundleImage(root, image, app);
if (image === 'inference-pod') {
  copyRuntime();
  copySamples();
}
cpSync(join(root, 'LICENSE'), join(folder, 'licenses/LICENSE'));
writeFileSync(join(folder, 'licenses/THIRD-PARTY.md'), `${licencesOf(packages)}\n`);
makeReadOnly(folder);
