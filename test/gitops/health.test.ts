/** What Argo CD shows of a ModelDeployment in each phase, by its own script over objects of a recorded run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { argoHealth } from './lua.ts';
import { expectedHealth, recordedPhases } from './recorded.ts';

describe('health.lua', () => {
  test.each(recordedPhases())('%s', (phase, object) => {
    const health = argoHealth(object);
    expect(health.status).toBe(expectedHealth(phase).argo);
    expect(health.message.length).toBeGreaterThan(5);
  });

  test('before the operator has seen a change, what it said of the one before does not count', () => {
    const [, ready] = recordedPhases().find(([phase]) => phase === 'Ready') ?? [];
    const metadata = { ...(ready?.metadata as { generation: number }) };
    metadata.generation += 1;
    expect(argoHealth({ ...ready, metadata })).toEqual({
      status: 'Progressing',
      message: `waiting for the operator to see generation ${metadata.generation}`,
    });
  });

  test('names the reason of what is Degraded', () => {
    const [, failed] = recordedPhases().find(([phase]) => phase === 'Failed') ?? [];
    expect(argoHealth(failed).message).toMatch(/^ImagePullFailed: revision \w+ failed: .*missing:1/);
  });

  test('the documentation shows the script as it is', () => {
    const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
    const page = read('docs/how-to/gitops.md');
    const block = /```yaml\n(apiVersion: v1\nkind: ConfigMap\n[\s\S]*?)```/.exec(page)?.[1] ?? '';
    const { data } = load(block) as { data: Record<string, string> };
    expect(data['resource.customizations.health.ballast.dev_ModelDeployment']).toBe(
      read('integrations/argocd/health.lua'),
    );
  });
});
