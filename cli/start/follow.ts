/** Follows ModelDeployments and their pods and tells each change. */
import { labels } from '../../crds/constants.ts';
import type { ModelDeployment } from '../../crds/types.ts';
import type { KubeObject, Pod } from '../../kube/objects.ts';
import { type ResourceType, resources } from '../../kube/resource.ts';
import type { Registry } from '../../local/apiserver/registry.ts';
import type { Narrator } from './narrator.ts';
import { tellModelDeployment, tellPod } from './tell.ts';

function followKind<T extends KubeObject>(
  registry: Registry,
  type: ResourceType,
  options: { labelSelector?: string },
  tell: (before: T | undefined, after: T | undefined) => void,
): () => void {
  const known = new Map<string, T>();
  const watch = registry.watch<T>(type, options, ({ type: change, object }) => {
    const uid = object.metadata.uid ?? '';
    const before = known.get(uid);
    if (change === 'DELETED') {
      known.delete(uid);
      tell(before ?? object, undefined);
    } else if (change === 'ADDED' || change === 'MODIFIED') {
      known.set(uid, object);
      tell(before, object);
    }
  });
  return () => watch.stop();
}

/** Starts following; returns what stops it. */
export function follow(registry: Registry, modelDeployments: ResourceType, narrator: Narrator): () => void {
  const say = (lines: string[]) => {
    for (const line of lines) narrator.step(line);
  };
  const stops = [
    followKind<Pod>(registry, resources.pods, { labelSelector: labels.deployment }, (before, after) =>
      say(tellPod(before, after)),
    ),
    followKind<KubeObject>(registry, modelDeployments, {}, (before, after) =>
      say(
        tellModelDeployment(
          before as unknown as ModelDeployment | undefined,
          after as unknown as ModelDeployment | undefined,
        ),
      ),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
