/** The bill of materials of each image, made by npm now: exactly what the image holds, with digests and licences. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Bom, imageBom, npmBom } from '../../../scripts/sbom.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
let made: Bom | undefined;
const all = (): Bom => {
  made ??= npmBom();
  return made;
};

describe.each([
  {
    image: 'operator',
    most: 60,
    has: ['@kubernetes/client-node', 'winston', 'zod'],
    lacks: ['onnxruntime-node'],
  },
  {
    image: 'inference-pod',
    most: 120,
    has: ['express', 'onnxruntime-node', 'onnxruntime-common'],
    lacks: ['@kubernetes/client-node'],
  },
] as const)('the bill of materials of $image', ({ image, most, has, lacks }) => {
  let bom: Bom;
  beforeAll(async () => {
    bom = await imageBom(image, all());
  });
  const names = () => bom.components.map(({ name }) => name);

  test('is CycloneDX and about the image', () => {
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 });
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(bom.metadata.component).toMatchObject({
      type: 'container',
      name: `docker.io/ballast/${image}`,
      version: read('package.json').version,
    });
  });

  test('names what the image holds and nothing that builds or tests it', () => {
    expect(names()).toEqual(expect.arrayContaining([...has]));
    for (const absent of [...lacks, 'esbuild', 'typescript', 'jest', '@biomejs/biome', 'npm', 'adm-zip'])
      expect(names()).not.toContain(absent);
    expect(names().length).toBeLessThanOrEqual(most);
  });

  test('gives each package a version, an address, a digest and a licence that we may ship', () => {
    for (const { name, version, purl, hashes, licenses } of bom.components) {
      expect([name, purl]).toEqual([name, expect.stringContaining(`@${version}`)]);
      expect([name, hashes?.[0]?.alg]).toEqual([name, 'SHA-512']);
      const licence = licenses?.[0]?.license?.id ?? licenses?.[0]?.expression;
      expect([name, licence]).toEqual([
        name,
        expect.stringMatching(/^(MIT|ISC|Apache-2\.0|0BSD|BSD-[23]-Clause)$/),
      ]);
    }
  });

  test('has edges only between what it names', () => {
    const refs = new Set(
      [...bom.components, bom.metadata.component].map((component) => component['bom-ref']),
    );
    const ends = bom.dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]);
    expect(ends.length).toBeGreaterThan(refs.size);
    expect(ends.filter((ref) => !refs.has(ref))).toEqual([]);
  });
});
