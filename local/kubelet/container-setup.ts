/** From a container's spec to the command, environment and folder of a local process. */
import { mkdirSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Container, Pod } from '../../kube/objects.ts';
import type { LocalContainer } from '../controllers/kinds.ts';
import { ContainerConfigError, containerEnv, type EnvSources, expand } from './env.ts';
import type { LocalImage } from './image-map.ts';
import { type Mount, mountTable, rewritePaths } from './paths.ts';

export interface ContainerFolders {
  /** The container's own folder. */
  readonly root: string;
  readonly terminationLog: string;
}

export interface SetupInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: LocalImage;
  readonly sources: EnvSources;
  readonly mounts: readonly Mount[];
  readonly folders: ContainerFolders;
  readonly ownPorts: Readonly<Record<string, number>> | undefined;
  /** Variables that name the Services of the namespace. */
  readonly serviceLinks: ReadonlyMap<string, string>;
}

export interface ContainerSetup {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Rewrites a path of the container, for commands of probes and hooks. */
  rewrite(value: string): string;
}

/** The command cannot be started: the container ends with code 128 and reason StartError. */
export class StartError extends Error {}

/** Variables by which a pod learns where to listen and write; they win over the image's, not over the spec's. */
function localEnv(input: SetupInput): Record<string, string> {
  const env: Record<string, string> = {
    BALLAST_LISTEN_HOST: input.sources.podIP,
    BALLAST_TERMINATION_LOG: input.folders.terminationLog,
  };
  for (const [name, port] of Object.entries(input.ownPorts ?? {}))
    env[`BALLAST_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_PORT`] = String(port);
  return env;
}

/** Works the spec out; throws ContainerConfigError or StartError. */
export function setUpContainer(input: SetupInput): ContainerSetup {
  const { container, image, folders } = input;
  if ((container as LocalContainer).restartPolicy !== undefined)
    throw new ContainerConfigError(
      `restartPolicy of a container is not supported by the embedded cluster (container "${container.name}"): leave it out`,
    );
  const table = mountTable([
    ...input.mounts,
    { from: container.terminationMessagePath ?? '/dev/termination-log', to: folders.terminationLog },
    ...Object.entries(image.paths ?? {}).map(([from, to]) => ({ from, to })),
  ]);
  const rewrite = (value: string) => rewritePaths(value, table);
  const own = new Map([...input.serviceLinks, ...containerEnv(container, input.sources)]);
  const env: Record<string, string> = {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    HOME: folders.root,
    HOSTNAME: input.pod.metadata.name ?? '',
    LANG: 'C.UTF-8',
  };
  for (const [name, value] of Object.entries(image.env ?? {})) env[name] = rewrite(value);
  Object.assign(env, localEnv(input));
  for (const [name, value] of own) env[name] = rewrite(value);

  const expanded = (words: readonly string[]) => words.map((word) => rewrite(expand(word, own)));
  const entrypoint = container.command !== undefined ? expanded(container.command) : image.command;
  const args =
    container.args !== undefined
      ? expanded(container.args)
      : container.command === undefined
        ? (image.args ?? []).map(rewrite)
        : [];
  const command = [...entrypoint, ...args];
  const [program] = command;
  if (program === undefined || program === '') throw new ContainerConfigError('no command specified');
  const cwd = folderFor(
    container.workingDir === undefined ? image.cwd : rewrite(container.workingDir),
    folders.root,
  );
  checkProgram(program, env.PATH ?? '', cwd);
  return { command, env, cwd, rewrite };
}

function folderFor(wanted: string | undefined, root: string): string {
  mkdirSync(root, { recursive: true });
  if (wanted === undefined) return root;
  try {
    if (statSync(wanted).isDirectory()) return wanted;
  } catch {
    // A folder of the image that this machine does not have: one below the container's own stands for it.
  }
  const stand = join(root, 'root', wanted.replaceAll('..', '_'));
  mkdirSync(stand, { recursive: true });
  return stand;
}

/** A runtime refuses to start what is not there; the shell that starts our processes would only exit 127. */
function checkProgram(program: string, path: string, cwd: string): void {
  const candidates = program.includes('/')
    ? [isAbsolute(program) ? program : join(cwd, program)]
    : path.split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    try {
      const stat = statSync(candidate);
      if (stat.isFile() && (stat.mode & 0o111) !== 0) return;
    } catch {
      // Not here.
    }
  }
  throw new StartError(
    `failed to create containerd task: failed to start container: exec: "${program}": ${program.includes('/') ? 'no such file or directory' : 'executable file not found in $PATH'}`,
  );
}
