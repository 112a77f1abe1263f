/** Which packages an image holds, told by the bundles themselves. */
import { type BuildOptions, build } from 'esbuild';
import { bundleOptions, imageBundles } from '../local/bundles.ts';

export type ImageName = keyof typeof imageBundles;

/** Whether there is an image of that name. */
export const isImageName = (name: string): name is ImageName => name in imageBundles;

/** Packages that stay outside the bundle, as files. */
const besideBundle: Record<ImageName, readonly string[]> = {
  operator: [],
  'inference-pod': ['node_modules/onnxruntime-common', 'node_modules/onnxruntime-node'],
};

export interface ImageContents {
  /** Folders of the packages, below the checkout. */
  readonly packages: readonly string[];
  /** Source files of ours, below the checkout. */
  readonly sources: readonly string[];
  /** Files of packages of which something is in the bundles. */
  readonly bundled: readonly string[];
}

/** Bundles an image's programs into `outdir` (or only in memory) and tells what the image then holds. */
export async function bundleImage(
  root: string,
  image: ImageName,
  outdir: string,
  options: Pick<BuildOptions, 'write'> = {},
): Promise<ImageContents> {
  const { metafile } = await build({
    ...bundleOptions(root, imageBundles[image], outdir),
    ...options,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  const bundled = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  return {
    packages: [...new Set([...bundled, ...besideBundle[image]])].sort(),
    sources: inputs.filter((input) => !input.includes('node_modules/')).sort(),
    bundled: Object.values(metafile.outputs)
      .flatMap((output) => Object.entries(output.inputs))
      .flatMap(([path, { bytesInOutput }]) =>
        bytesInOutput > 0 && path.includes('node_modules/') ? [path] : [],
      )
      .sort(),
  };
}
