/** `npm run images:sbom [-- FOLDER]`: one CycloneDX bill of materials per image, of exactly the packages that it holds. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleImage, type ImageName } from './image-contents.ts';

const root = join(import.meta.dirname, '..');

interface Component {
  'bom-ref': string;
  name: string;
  version: string;
  purl: string;
  hashes?: { alg: string; content: string }[];
  licenses?: { license?: { id?: string; name?: string }; expression?: string }[];
}

/** The parts of a CycloneDX document that are read here. */
export interface Bom {
  bomFormat: string;
  specVersion: string;
  serialNumber: string;
  version: number;
  metadata: { component: Component & { type: string } };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

/** npm's bill of all that is installed: with `--omit dev` it forgets packages that tests and programs share. */
export function npmBom(): Bom {
  const args = ['sbom', '--sbom-format', 'cyclonedx'];
  return JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 }));
}

/** Reduces npm's bill to one image: its packages and the edges between them. */
export async function imageBom(image: ImageName, all: Bom): Promise<Bom> {
  const held = new Set<string>();
  const { packages } = await bundleImage(root, image, join(root, '.ballast/sbom'), { write: false });
  for (const path of packages) {
    const { name, version } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
    held.add(`${name}@${version}`);
  }
  const components = all.components.filter(({ name, version }) => held.delete(`${name}@${version}`));
  if (held.size > 0)
    throw new Error(`npm's bill of materials lacks ${[...held].join(', ')} of image ${image}`);
  const refs = new Set(components.map((component) => component['bom-ref']));
  const self = all.metadata.component;
  return {
    ...all,
    metadata: {
      ...all.metadata,
      component: {
        ...self,
        type: 'container',
        name: `docker.io/ballast/${image}`,
        purl: `pkg:oci/${image}?repository_url=docker.io/ballast/${image}&tag=${self.version}`,
      },
    },
    components,
    dependencies: all.dependencies
      .filter(({ ref }) => refs.has(ref) || ref === self['bom-ref'])
      .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((to) => refs.has(to)) })),
  };
}

/** Writes `IMAGE.cdx.json` of each image into a folder; returns the paths. */
async function writeBoms(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const all = npmBom();
  const paths: string[] = [];
  for (const image of ['operator', 'inference-pod'] as const) {
    const bom = await imageBom(image, all);
    const path = join(folder, `${image}.cdx.json`);
    writeFileSync(path, `${JSON.stringify(bom, null, 2)}\n`);
    console.log(`${path}: ${bom.components.length} packages`);
    paths.push(path);
  }
  return paths;
}

if (import.meta.main) await writeBoms(process.argv[2] ?? join(root, '.ballast/sbom'));
