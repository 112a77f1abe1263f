/** Container images of the embedded cluster: each is a command of this machine. */

export interface LocalImage {
  /** The image's entrypoint. */
  readonly command: readonly string[];
  /** The image's default arguments. */
  readonly args?: readonly string[];
  /** The image's environment; paths in it are rewritten as in the container's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of the image: path inside it → folder of this machine. */
  readonly paths?: Readonly<Record<string, string>>;
  /** Folder in which the command starts; default: a folder of the container's own. */
  readonly cwd?: string;
}

/** By image name. A name without a tag stands for all tags and digests. */
export type ImageMap = Readonly<Record<string, LocalImage>>;

/** The image without its tag and digest. */
export function repositoryOf(image: string): string {
  const bare = image.split('@')[0] ?? image;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}

/** The local command of an image; undefined when the map has none. */
export function findImage(map: ImageMap, image: string): LocalImage | undefined {
  if (Object.hasOwn(map, image)) return map[image];
  const repository = repositoryOf(image);
  return Object.hasOwn(map, repository) ? map[repository] : undefined;
}
