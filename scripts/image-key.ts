/** When an image is another one: a digest over everything that it is built from. */
import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageName } from './image-contents.ts';

const root = join(import.meta.dirname, '..');

/** The Dockerfile of each image. */
export const dockerfiles: Readonly<Record<ImageName, string>> = {
  operator: 'Dockerfile.operator',
  'inference-pod': 'Dockerfile.pod',
};

/** This machine's architecture as images name it. */
export const machineArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** Sources that a Dockerfile copies from the checkout. */
function copied(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
    (match) => match[1]?.split(' ') ?? [],
  );
}

/** Digest over what an image is built from: its Dockerfile, the files that it copies, and how the build is run here. */
export function contentKey(image: ImageName, architecture: string): string {
  const dockerfile = readFileSync(join(root, dockerfiles[image]), 'utf8');
  const hash = createHash('sha256').update(dockerfile).update(architecture).update(process.version);
  const inputs = ['.dockerignore', 'scripts/base-image.ts', 'scripts/buildah.ts', ...copied(dockerfile)];
  for (const input of inputs) {
    const isFolder = statSync(join(root, input)).isDirectory();
    const files = isFolder ? globSync(`${input}/**/*.{ts,json,onnx}`, { cwd: root }).sort() : [input];
    for (const file of files.filter((path) => !/\.test\.ts$|\/testing\/|^samples\/.*json$/.test(path)))
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, file)))
        .update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
