/** The volumes of one pod as folders, made before its containers and kept fresh while they run. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Pod, Volume } from '../../kube/objects.ts';
import { sameFiles, type VolumeFiles, writeAtomically } from './atomic-folder.ts';
import type { Mount } from './paths.ts';
import { type FileSources, VolumeError, volumeFiles } from './volume-files.ts';

type Named = Volume & { hostPath?: { path: string } };

/** Folders of a pod's volumes. */
export class PodVolumes {
  readonly #folder: string;
  readonly #claimFolder: (name: string) => string;
  readonly #written = new Map<string, VolumeFiles>();

  constructor(folder: string, claimFolder: (name: string) => string) {
    this.#folder = folder;
    this.#claimFolder = claimFolder;
  }

  /** Makes every volume of the pod; throws VolumeError when one cannot be made yet. */
  prepare(pod: Pod, sources: FileSources): void {
    for (const volume of (pod.spec.volumes ?? []) as Named[]) {
      if (volume.hostPath !== undefined || volume.persistentVolumeClaim !== undefined) {
        const folder = this.#folderOf(volume);
        try {
          statSync(folder);
        } catch {
          throw new VolumeError(
            `MountVolume.SetUp failed for volume "${volume.name}": ${folder} does not exist`,
          );
        }
      } else if (volume.emptyDir !== undefined) mkdirSync(this.#folderOf(volume), { recursive: true });
      else this.#write(volume, sources, true);
    }
  }

  /** Writes what changed in the API since; a source that is gone leaves the last files, as a kubelet does. */
  refresh(pod: Pod, sources: FileSources): void {
    for (const volume of pod.spec.volumes ?? []) {
      try {
        this.#write(volume, sources, false);
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
      }
    }
  }

  /** Where the container's mounts lead. */
  mountsOf(pod: Pod, container: Container): Mount[] {
    const byName = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]));
    return (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
      const volume = byName.get(name);
      if (volume === undefined) return [];
      const folder = this.#folderOf(volume);
      const to = subPath === undefined || subPath === '' ? folder : join(folder, subPath);
      // Kubernetes makes a missing subPath a folder; files of API volumes are there already.
      if (
        to !== folder &&
        !to.includes('..') &&
        (volume.emptyDir ?? volume.persistentVolumeClaim) !== undefined
      )
        mkdirSync(to, { recursive: true });
      return [{ from: mountPath, to }];
    });
  }

  #folderOf(volume: Named): string {
    if (volume.persistentVolumeClaim !== undefined)
      return this.#claimFolder(volume.persistentVolumeClaim.claimName);
    if (volume.hostPath !== undefined) return volume.hostPath.path;
    return join(this.#folder, volume.name);
  }

  #write(volume: Volume, sources: FileSources, must: boolean): void {
    const files = volumeFiles(volume, sources);
    if (files === undefined) {
      if (!must) return;
      const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'nothing';
      throw new VolumeError(`volume "${volume.name}": ${kind} is not supported by the embedded cluster`);
    }
    if (sameFiles(this.#written.get(volume.name), files)) return;
    writeAtomically(this.#folderOf(volume), files);
    this.#written.set(volume.name, files);
  }
}
